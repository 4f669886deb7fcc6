#!/usr/bin/env python3
"""scripts/check_layout.py finds what it must find, and nothing in the tree as it stands."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[1]
CHECK = ROOT / "scripts" / "check_layout.py"


def findings(root):
    result = subprocess.run([sys.executable, str(CHECK), str(root)], capture_output=True, text=True)
    return result.returncode, result.stdout + result.stderr


class Layout(unittest.TestCase):
    def setUp(self):
        self.temp = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.temp.name)
        self.addCleanup(self.temp.cleanup)
        self.plant("tests/CMakeLists.txt", "file(GLOB x replication/base/*_test.cc)\n")
        self.plant("replication/base/a.h", "#pragma once\n")
        self.plant("tests/replication/base/a_test.cc", '#include "daemon/anything.h"\n')

    def plant(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def expect(self, *words):
        status, output = findings(self.root)
        self.assertEqual(status, 1, output)
        for word in words:
            self.assertIn(word, output)
        self.assertEqual(len(output.splitlines()), 1, output)

    def test_the_tree_is_clean(self):
        self.assertEqual(findings(ROOT), (0, ""))

    def test_a_small_clean_tree_passes(self):
        self.plant("daemon/d.cc", '#include <sqlite3.h>\n#include "replication/engine.h"\n'
                                  "// no sleep_for, no PQclear here\n")
        self.assertEqual(findings(self.root), (0, ""))

    def test_folder_order(self):
        for name, include in [("config/c.h", "metrics/m.h"), ("metrics/m.cc", "replication/status.h"),
                              ("replication/engine.cc", "daemon/d.h"),
                              ("replication/base/b.cc", "replication/source/s.h"),
                              ("replication/source/s.cc", "replication/engine.h"),
                              ("replication/source/s.cc", "replication/target/t.h"),
                              ("replication/target/t.h", "replication/source/s.h")]:
            with self.subTest(name=name, include=include):
                self.plant(name, f'#pragma once\n\n#include "{include}"\n')
                self.expect(f"{name}:3", "may not include", include)
                (self.root / name).unlink()

    def test_c_headers_stay_in_sources(self):
        self.plant("replication/source/s.h", "#include <sqlite3.h>\n")
        self.expect("replication/source/s.h:1", "sqlite3.h")

    def test_the_program_does_not_use_the_tests(self):
        self.plant("daemon/d.cc", '#include "tests/harness/x.h"\n')
        self.expect("daemon/d.cc:1", "tests")

    def test_a_test_that_no_one_builds(self):
        self.plant("tests/replication/base/deep/b_test.cc", "")
        self.expect("tests/replication/base/deep/b_test.cc")

    def test_one_owner_per_handle(self):
        self.plant("replication/target/a.cc", "void f() { PQfinish(c); }\n")
        self.assertEqual(findings(self.root), (0, ""))
        self.plant("replication/target/b.cc", "\nvoid g() { PQfinish(d); }\n")
        self.expect("PQfinish", "replication/target/a.cc:1", "replication/target/b.cc:2")

    def test_no_sleep(self):
        self.plant("daemon/d.cc", "/* two\nlines */ std::this_thread::sleep_for(x);\n")
        self.expect("daemon/d.cc:2", "sleep_for")


if __name__ == "__main__":
    unittest.main()
