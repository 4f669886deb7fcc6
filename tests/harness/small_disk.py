"""A disk that can be full: a tmpfs whose size is what is used, until there is room again."""
import atexit
import os
import shutil
import subprocess

from harness.process import temp_dir, wait_until


class SmallDisk:
    """Mounted by the constructor, gone with close() or at exit. `owner`: Popen arguments, as of unprivileged().

    Only root can mount. Where that is not possible `real` is false, and it is a plain folder that cannot be filled.
    """

    def __init__(self, name, megabytes, owner=None):
        self.path = temp_dir(name)
        self.size = megabytes << 20
        self.real = os.getuid() == 0 and self._mount("-t", "tmpfs", "-o", f"size={self.size},mode=755", "tmpfs")
        if owner:
            os.chown(self.path, owner["user"], owner["group"])
        atexit.register(self.close)

    def _mount(self, *options):
        return subprocess.run(["mount", *options, str(self.path)], stderr=subprocess.DEVNULL,
                              check=False).returncode == 0

    def fill(self):
        """Not one page is left."""
        assert self.real, "only a mounted disk can be filled"

        def shrunk():
            used = os.statvfs(self.path)
            # Refused while somebody writes in between.
            return self._mount("-o", f"remount,size={max(used.f_blocks - used.f_bfree, 1) * used.f_frsize}")

        wait_until(f"{self.path} is full", shrunk, 30, step=0.01)

    def grow(self, megabytes=None):
        """Room again."""
        if self.real:
            assert self._mount("-o", f"remount,size={megabytes << 20 if megabytes else self.size}")

    def close(self):
        atexit.unregister(self.close)
        if self.real:
            subprocess.run(["umount", "-l", str(self.path)], check=False)
            self.real = False
        shutil.rmtree(self.path, ignore_errors=True)
