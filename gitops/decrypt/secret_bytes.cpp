#include "gitops/decrypt/secret_bytes.h"

#include <openssl/crypto.h>
#include <sys/mman.h>

#include <array>
#include <cstring>
#include <mutex>
#include <new>
#include <vector>

namespace weber::gitops {

namespace {

constexpr std::size_t kSlot = 128;          // data keys, file keys, identities
constexpr std::size_t kRegion = 32 * 1024;  // well below the usual lock limit

unsigned char* locked_pages(std::size_t size) {
    void* pages = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    (void)mlock(pages, size);
    (void)madvise(pages, size, MADV_DONTDUMP);
    return static_cast<unsigned char*>(pages);
}

// Slots of one size in locked regions that live as long as the process. The mutex guards the free list.
class Slots {
public:
    unsigned char* take() {
        const std::lock_guard lock(mutex_);
        if (free_.empty()) {
            unsigned char* region = locked_pages(kRegion);
            for (std::size_t at = 0; at < kRegion; at += kSlot) free_.push_back(region + at);
        }
        unsigned char* slot = free_.back();
        free_.pop_back();
        return slot;
    }
    void give_back(unsigned char* slot) {
        const std::lock_guard lock(mutex_);
        free_.push_back(slot);
    }

private:
    std::mutex mutex_;
    std::vector<unsigned char*> free_;
};

Slots& slots() {
    static Slots* all = new Slots; // never destroyed: buffers of static objects may outlive it
    return *all;
}

// A few slots that this thread gave back, for its next ones: unwrapping a data key takes some thirty, and threads would queue up at the mutex for each.
// Without a destructor, so that buffers may go after the thread's other objects.
struct Kept {
    std::array<unsigned char*, 8> slots;
    std::size_t size, room;
};
thread_local constinit Kept kept{{}, 0, 8};
struct EndOfThread {
    ~EndOfThread() {
        while (kept.size > 0) slots().give_back(kept.slots[--kept.size]);
        kept.room = 0; // what comes now goes to all
    }
};

unsigned char* take_slot() { return kept.size > 0 ? kept.slots[--kept.size] : slots().take(); }
void give_back_slot(unsigned char* slot) {
    thread_local const EndOfThread at_the_end;
    if (kept.size < kept.room) kept.slots[kept.size++] = slot;
    else slots().give_back(slot);
}

} // namespace

SecretBytes::SecretBytes(std::size_t size) : size_(size) {
    if (size == 0) return;
    data_ = size <= kSlot ? take_slot() : locked_pages(size);
    std::memset(data_, 0, size);
}

SecretBytes SecretBytes::copy_of(std::string_view bytes) {
    SecretBytes out(bytes.size());
    if (!bytes.empty()) std::memcpy(out.data_, bytes.data(), bytes.size());
    return out;
}

void SecretBytes::release() {
    if (data_ == nullptr) return;
    wipe(data_, size_);
    if (size_ <= kSlot) give_back_slot(data_);
    else munmap(data_, size_);
    data_ = nullptr;
    size_ = 0;
}

void wipe(void* data, std::size_t size) { OPENSSL_cleanse(data, size); }

} // namespace weber::gitops
