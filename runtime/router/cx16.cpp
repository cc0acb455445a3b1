// Preloaded into HAProxy: its random numbers use CMPXCHG16B, which the first x86-64 processors and some virtual
// ones lack (QEMU's emulation before version 8 is best run without it). There, and only there, the one form of the
// instruction that HAProxy has is carried out here; everything else is as illegal as before.
#include <cpuid.h>
#include <ucontext.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstring>

namespace {

// lock cmpxchg16b disp32(%rip); Intel SDM, volume 2: LOCK, REX.W, 0F C7 /1 with ModRM 00 001 101.
constexpr unsigned char wanted[] = {0xf0, 0x48, 0x0f, 0xc7, 0x0d};
constexpr std::size_t length = sizeof wanted + sizeof(std::int32_t);
constexpr greg_t zero_flag = 0x40;

std::atomic_flag busy = ATOMIC_FLAG_INIT;

// Like the instruction: RDX:RAX is compared with the memory; if equal, RCX:RBX goes there.
void exchange(greg_t* registers, std::uint64_t* memory) {
    while (busy.test_and_set(std::memory_order_acquire)) {
    }
    const auto low = static_cast<std::uint64_t>(registers[REG_RAX]);
    const auto high = static_cast<std::uint64_t>(registers[REG_RDX]);
    if (memory[0] == low && memory[1] == high) {
        memory[0] = static_cast<std::uint64_t>(registers[REG_RBX]);
        memory[1] = static_cast<std::uint64_t>(registers[REG_RCX]);
        registers[REG_EFL] |= zero_flag;
    } else {
        registers[REG_RAX] = static_cast<greg_t>(memory[0]);
        registers[REG_RDX] = static_cast<greg_t>(memory[1]);
        registers[REG_EFL] &= ~zero_flag;
    }
    busy.clear(std::memory_order_release);
}

void handle_illegal_instruction(int, siginfo_t*, void* context) {
    greg_t* const registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    const auto* const code = reinterpret_cast<const unsigned char*>(registers[REG_RIP]);
    if (std::memcmp(code, wanted, sizeof wanted) != 0) {
        std::signal(SIGILL, SIG_DFL);  // executed again, it ends the program as it should
        return;
    }
    std::int32_t distance = 0;
    std::memcpy(&distance, code + sizeof wanted, sizeof distance);
    registers[REG_RIP] += length;
    exchange(registers, reinterpret_cast<std::uint64_t*>(registers[REG_RIP] + distance));
}

[[gnu::constructor]] void prepare() {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    if (__get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_CMPXCHG16B) != 0) {
        return;
    }
    struct sigaction action {};
    action.sa_sigaction = &handle_illegal_instruction;
    action.sa_flags = SA_SIGINFO;
    ::sigaction(SIGILL, &action, nullptr);
}

}  // namespace
