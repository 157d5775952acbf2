#include "tests/support/file_lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

namespace weber::testing {

FileLock::FileLock(const std::string& path) : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    EXPECT_EQ(::flock(file_, LOCK_EX), 0) << "cannot lock " << path;
}

FileLock::~FileLock() { ::close(file_); }

} // namespace weber::testing
