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

// One line for each change of phase: `  1.2s flux-system/apps: building`; counts within a phase are not repeated. What waits is said again every
// `remind`, with the names of what it waits for.
class LogView final : public gitops::ProgressSink {
public:
    explicit LogView(std::ostream& out, std::chrono::milliseconds remind = std::chrono::seconds(5));
    ~LogView() override;
    void on_progress(const gitops::Progress& progress) override;

private:
    void print(const gitops::Progress& progress, const std::string& text);

    std::ostream& out_;
    const std::chrono::steady_clock::time_point began_;
    std::mutex mutex_; // guards what is below, and the stream
    std::map<gitops::NamespacedName, gitops::Progress> last_;
    std::condition_variable_any wake_;
    std::jthread reminder_;
};

// Lines of the tree as they stand, without escapes; `width` 0 = uncut. Rows are in order of appearance below their parents.
std::vector<std::string> draw_tree(const std::vector<gitops::Progress>& rows, std::size_t frame, std::size_t width);
// What a terminal of that many rows can show of the tree while it changes: first the Kustomizations that are not ready yet, last how many were left out.
std::vector<std::string> fit_height(std::vector<std::string> lines, std::size_t height);

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
