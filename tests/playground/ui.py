"""What the terminal shows: headings, the commands that run, and one live line while something is awaited."""

import shlex
import shutil
import sys
import threading
import time

_TTY = sys.stdout.isatty()
_lock = threading.Lock()


class Failure(Exception):
    """Something that a person must read; the message says what and where to look."""


def heading(text):
    _print(f"\n{_bold(text)}")


def say(text=""):
    _print(text)


def command(argv, note=""):
    """Shows a command as one could type it: a list of words, or a whole line."""
    line = argv if isinstance(argv, str) else " ".join(shlex.quote(str(a)) for a in argv)
    _print(f"  {_dim('$')} {line}{'   # ' + note if note else ''}")


def done(text):
    _print(f"  {_green('ok')} {text}")


class Live:
    """One line that is redrawn while the block runs, then left as a result with the time that it took.

    Where there is no terminal, it prints a line each half minute and the result.
    """

    def __init__(self, what):
        self.what, self.detail, self.start = what, "", time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self._stop.set()
        self._thread.join()
        if _TTY:
            sys.stdout.write("\r\x1b[K")
        if kind is None:
            done(f"{self.what} ({seconds(self.elapsed)})")

    @property
    def elapsed(self):
        return time.monotonic() - self.start

    def _run(self):
        pause = 0.2 if _TTY else 30
        while not self._stop.wait(pause):
            line = f"  .. {self.what} {seconds(self.elapsed)}  {self.detail}"
            with _lock:
                if _TTY:
                    sys.stdout.write(f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}")
                    sys.stdout.flush()
                else:
                    print(line, flush=True)


def seconds(value):
    minutes, rest = divmod(value, 60)
    return f"{int(minutes)} min {int(rest)} s" if minutes else f"{rest:.1f} s"


def _print(text):
    with _lock:
        print(text, flush=True)


def _bold(text):
    return f"\x1b[1m{text}\x1b[0m" if _TTY else text


def _dim(text):
    return f"\x1b[2m{text}\x1b[0m" if _TTY else text


def _green(text):
    return f"\x1b[32m{text}\x1b[0m" if _TTY else text
