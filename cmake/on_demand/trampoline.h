// Assembler side of libraries loaded on demand, for x86-64 (ELF, System V calling convention). on_demand.cmake writes one file a shared library, which includes this:
// a LIBRARY line and one FUNCTION line for each function that the library exports. README.md says how it works.

// The library's name for the resolver, and a note from which packagers read what is loaded at run time
// (uapi-group.org/specifications/specs/elf_dlopen_metadata).
.macro LIBRARY soname, package
        .section .rodata.on_demand_library, "a", @progbits
library_name:
        .asciz "\soname"
package_name:
        .asciz "\package"
        .section .data.rel.ro.on_demand_library, "aw", @progbits
        .balign 8
library:
        .quad library_name, package_name
        .section .note.dlopen, "a", @note
        .balign 4
        .long 4, 2f - 1f, 0x407c0c0a
        .asciz "FDO"
1:      .asciz "[{\"soname\":[\"\soname\"],\"priority\":\"required\"}]"
2:      .balign 4
.endm

// A call goes to where the record points: first to `first_NAME`, from then on into the library. Each function has sections of its own, so that the linker drops those
// that nobody calls (--gc-sections).
.macro FUNCTION name
        .section .rodata.on_demand.\name, "a", @progbits
name_\name:
        .asciz "\name"
        .section .data.on_demand.\name, "aw", @progbits
        .balign 8
record_\name:
        .quad first_\name, name_\name, library
        .section .text.on_demand.\name, "ax", @progbits
        .globl \name
        .hidden \name
        .type \name, @function
\name:
        endbr64
        jmp *record_\name(%rip)
first_\name:
        endbr64
        leaq record_\name(%rip), %r11
        jmp weber_on_demand_first_call
        .size \name, . - \name
.endm
