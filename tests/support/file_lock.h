// Tests that may not run beside each other though they are processes of their own.
#pragma once

#include <string>

namespace weber::testing {

// Waits until no other process holds the lock of this file (made when it is missing) and holds it for its own life; ends with the process, too.
class FileLock {
public:
    explicit FileLock(const std::string& path);
    ~FileLock();
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;

private:
    int file_;
};

} // namespace weber::testing
