#include "daemon/cli.h"

int main(int argc, char** argv) { return liteferry::daemon::Main(argc, argv); }
