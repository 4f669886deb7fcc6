#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

#include "tests/fuzz/encoder_seeds.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace liteferry::fuzz {
namespace {

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* chosen = std::getenv(name);
  return chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : otherwise;
}

void RunTarget(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

// A few bytes changed, doubled or left out.
std::string Changed(std::string input, testing::RandomValues& random) {
  for (std::uint64_t i = 1 + random.Below(3); i > 0 && !input.empty(); --i) {
    const std::size_t at = random.Below(input.size());
    if (random.OneIn(3)) {
      input.erase(at, 1);
    } else if (random.OneIn(2)) {
      input.insert(at, 1, input[random.Below(input.size())]);
    } else {
      input[at] = static_cast<char>(random.Below(256));
    }
  }
  return input;
}

// The target ends the program where something is wrong, and prints the input. For a long run:
// LITEFERRY_FUZZ_INPUTS=10000000, and another LITEFERRY_TEST_SEED.
TEST(EncoderFuzzTest, WhatIsTakenDecodesToTheValueThatWentIn) {
  const std::uint64_t seed = FromEnvironment("LITEFERRY_TEST_SEED", 20260306);
  std::fprintf(stderr, "LITEFERRY_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  testing::RandomValues random(seed);
  const std::uint64_t inputs = FromEnvironment("LITEFERRY_FUZZ_INPUTS", 40'000);
  for (std::uint64_t i = 0; i < inputs; ++i) {
    const std::string input = RandomInput(random);
    RunTarget(input);
    RunTarget(Changed(input, random));
  }
  RunTarget("");
}

}  // namespace
}  // namespace liteferry::fuzz
