#pragma once
#include <stddef.h>
#include <stdint.h>

// LLVM's own interface for programs with a main of their own (compiler-rt/include/fuzzer/FuzzerInterface.h).
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*UserCb)(const uint8_t *Data, size_t Size));
