// One buffer for texts that repeat while YAML or JSON is read. Not thread-safe.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "kube/base/node.h"
#include "kube/base/text_hash.h"

namespace weber::kube {

// Keys and short scalars repeat over and over in manifests ("metadata", "name", "app"): one buffer for all.
template <std::size_t kSlots = 1021>
class TextPool {
public:
    Text get(std::string_view s) {
        if (s.empty() || s.size() > 40) return Text(s);
        Text& slot = slots_[text_hash(s) % kSlots];
        if (slot.view() != s) slot = Text(s);
        return slot;
    }

private:
    std::vector<Text> slots_{kSlots};
};

} // namespace weber::kube
