// The first call of a function: %r11 has its record, everything else is as the caller left it. All registers that may carry arguments are kept (%rax counts the vector
// registers of a call with variable arguments), then the call goes on in the library.
        .text
        .globl weber_on_demand_first_call
        .hidden weber_on_demand_first_call
        .type weber_on_demand_first_call, @function
weber_on_demand_first_call:
        .cfi_startproc
        pushq %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        movq %rsp, %rbp
        .cfi_def_cfa_register %rbp
        andq $-16, %rsp
        subq $192, %rsp
        movq %rax, (%rsp)
        movq %rdi, 8(%rsp)
        movq %rsi, 16(%rsp)
        movq %rdx, 24(%rsp)
        movq %rcx, 32(%rsp)
        movq %r8, 40(%rsp)
        movq %r9, 48(%rsp)
        movq %r10, 56(%rsp)
        movaps %xmm0, 64(%rsp)
        movaps %xmm1, 80(%rsp)
        movaps %xmm2, 96(%rsp)
        movaps %xmm3, 112(%rsp)
        movaps %xmm4, 128(%rsp)
        movaps %xmm5, 144(%rsp)
        movaps %xmm6, 160(%rsp)
        movaps %xmm7, 176(%rsp)
        movq %r11, %rdi
        call weber_on_demand_resolve
        movq %rax, %r11
        movq (%rsp), %rax
        movq 8(%rsp), %rdi
        movq 16(%rsp), %rsi
        movq 24(%rsp), %rdx
        movq 32(%rsp), %rcx
        movq 40(%rsp), %r8
        movq 48(%rsp), %r9
        movq 56(%rsp), %r10
        movaps 64(%rsp), %xmm0
        movaps 80(%rsp), %xmm1
        movaps 96(%rsp), %xmm2
        movaps 112(%rsp), %xmm3
        movaps 128(%rsp), %xmm4
        movaps 144(%rsp), %xmm5
        movaps 160(%rsp), %xmm6
        movaps 176(%rsp), %xmm7
        leave
        .cfi_def_cfa %rsp, 8
        jmp *%r11
        .cfi_endproc
        .size weber_on_demand_first_call, . - weber_on_demand_first_call
        .section .note.GNU-stack, "", @progbits
