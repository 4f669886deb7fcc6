"""A headless Chromium, driven over its debugging pipe: what a page shows, asks for and complains about."""
import base64
import itertools
import json
import os
import pathlib
import select
import shutil
import subprocess
import time

from harness.process import spawn, temp_dir, wait_until

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-default-apps", "--disable-dev-shm-usage", "--remote-debugging-pipe")
PATIENCE = 120


class Browser:
    """One page. `requests` has the address of everything it asked for, `complaints` what a developer's
    console would show: exceptions, errors, what the content policy refused. One thread."""

    def __init__(self):
        self.folder = temp_dir("browser")
        self.requests = []
        self.complaints = []
        self._numbers = itertools.count(1)
        self._answers = {}
        self._rest = b""
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        # The browser reads commands from its descriptor 3 and answers on 4; a shell puts them there.
        redirect = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self._log = open(self.folder / "log", "wb")
        self._process = spawn(["bash", "-c", redirect, "bash", "chromium", *FLAGS,
                               f"--user-data-dir={self.folder / 'profile'}", "about:blank"],
                              stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
                              pass_fds=(theirs_in, theirs_out))
        os.close(theirs_in)
        os.close(theirs_out)
        self._session = None
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self._call(f"{domain}.enable")

    def close(self):
        os.close(self._out)  # the end of the pipe is the end of the browser
        os.close(self._in)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def open(self, url):
        self._call("Page.navigate", {"url": url})
        wait_until(f"{url} is loaded", lambda: self.run("document.readyState") == "complete", PATIENCE)

    def look(self, width, height=900, dark=False):
        self._call("Emulation.setDeviceMetricsOverride",
                   {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
        self._call("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def run(self, expression):
        """The value of a JavaScript expression in the page."""
        result = self._call("Runtime.evaluate", {"expression": expression, "returnByValue": True})
        if "exceptionDetails" in result:
            raise AssertionError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def text(self, selector):
        return self.run(f"document.querySelector({json.dumps(selector)})?.innerText")

    def screenshot(self, path):
        answer = self._call("Page.captureScreenshot", {"captureBeyondViewport": True})
        pathlib.Path(path).write_bytes(base64.b64decode(answer["data"]))

    # The protocol: JSON with a NUL behind it, both ways.

    def _call(self, method, parameters=None):
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters or {}}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while number not in self._answers:
            self._read(method, deadline)
        answer = self._answers.pop(number)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return answer["result"]

    def _read(self, method, deadline):
        ready, _, _ = select.select([self._in], [], [], max(0, deadline - time.monotonic()))
        data = os.read(self._in, 1 << 16) if ready else b""
        if not data:
            log = (self.folder / "log").read_text(errors="replace")[-2000:]
            raise AssertionError(f"the browser {'ended' if ready else 'does not answer'} at {method}:\n{log}")
        *messages, self._rest = (self._rest + data).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self._answers[message["id"]] = message
            else:
                self._note(message["method"], message["params"])

    def _note(self, method, params):
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append(str(params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
