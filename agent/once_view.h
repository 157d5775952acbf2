// What one sees while `weber reconcile --once` runs: a tree that is redrawn on a terminal, a log line for each step elsewhere.
#pragma once

#include <chrono>
#include <condition_variable>
#include <iosfwd>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gitops/reconcile/progress.h"

namespace weber::agent {


// The phase in words: "applying 3/41", "waiting for flux-system/infrastructure".
std::string phase_text(const gitops::Progress& progress);

// One line for each change of phase: `  1.2s flux-system/apps: building`. Counts within a phase are not repeated.
class LogView final : public gitops::ProgressSink {
public:
    explicit LogView(std::ostream& out);
    void on_progress(const gitops::Progress& progress) override;

private:
    std::ostream& out_;
    std::chrono::steady_clock::time_point began_;
    std::map<gitops::NamespacedName, std::string> last_;
};

// Lines of the tree as they stand, without escapes; `width` 0 = uncut. Rows are in order of appearance below their parents.
std::vector<std::string> draw_tree(const std::vector<gitops::Progress>& rows, std::size_t frame, std::size_t width);

// Redraws at most ten times a second, on a thread of its own; `finish` draws the last state and leaves it standing.
class TreeView final : public gitops::ProgressSink {
public:
    explicit TreeView(std::ostream& out);
    ~TreeView() override;
    void on_progress(const gitops::Progress& progress) override;
    void finish();

private:
    void draw(std::size_t frame);

    std::ostream& out_;
    std::mutex mutex_; // guards what is below, and the stream
    std::vector<gitops::Progress> rows_;
    std::size_t drawn_ = 0; // lines on the screen
    bool finished_ = false;
    std::condition_variable_any wake_;
    std::jthread ticker_;
};

} // namespace weber::agent
