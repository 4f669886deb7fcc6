// Writes the corpus that scripts/fuzz.sh begins with: encoder_seeds FOLDER [COUNT].
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "tests/fuzz/encoder_seeds.h"

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: encoder_seeds FOLDER [COUNT]\n", stderr);
    return 64;
  }
  const long count = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 2000;
  liteferry::testing::RandomValues random(1);
  for (long i = 0; i < count; ++i) {
    const std::string input = liteferry::fuzz::RandomInput(random);
    std::ofstream file(std::string(argv[1]) + "/seed-" + std::to_string(i), std::ios::binary);
    file.write(input.data(), static_cast<std::streamsize>(input.size()));
    if (!file.flush()) {
      std::perror("encoder_seeds");
      return 74;
    }
  }
  return 0;
}
