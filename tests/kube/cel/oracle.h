// cel-go's answers (celoracle, tests/cluster/tools.sh) and ours, in one form.
#pragma once

#include <string>
#include <vector>

#include "kube/base/node.h"

namespace weber::cel {

struct Request {
    std::string expr;
    bool check = false;
};

// {error?, type?, value?} of `request` with the fields of `data` bound; checked expressions know `self`, `dep` and `data`.
Node our_answer(const Request& request, const Node& data);
// The same by the celoracle at `program`, in order.
std::vector<Node> ask(const std::string& program, const std::vector<Request>& requests, const Node& data);
// What cel-go prints differently at every run, or prints as Go sees it.
bool depends_on_go(const Node& answer);
std::string shown(const Node& answer);

} // namespace weber::cel
