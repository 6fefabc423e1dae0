"""How does a signing server, a card or another program sign? As a command: note text in, signature out.

The command is a list of arguments (no shell reads it). It gets the note text on standard input, ends within the time
allowed with exit code 0, and writes the signature, and nothing else, on standard output: as bytes, or as standard
base64, which may be broken into lines. The public key is given as a verifier key, and no signature is used before that
key has verified it.

>>> import sys
>>> seed = bytes(range(32))
>>> program = "\\n".join([
...     "import sys",
...     "from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey",
...     f"key = Ed25519PrivateKey.from_private_bytes({seed!r})",
...     "sys.stdout.buffer.write(key.sign(sys.stdin.buffer.read()))",
... ])
>>> from meanscheck.ledger.signer import Signer
>>> key = Signer.from_seed("county.example/relief", seed=seed).key       # in earnest: VerifierKey.parse(…)
>>> signer = CommandSigner(key, command=[sys.executable, "-c", program])
>>> signed = note.sign("text\\n", [signer])
>>> note.open(signed, [key]).text
'text\\n'
>>> CommandSigner(key, command=[sys.executable, "-c", "print('AAAA')"]).sign_note("text\\n")
Traceback (most recent call last):
meanscheck.errors.LedgerError: the signing command gave something else than a signature of key \
county.example/relief+f1206f39 over the text

`state.Guarded` makes it fit to grow a log. What the command says on standard output or standard error never appears in
a message: it could hold anything.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Sequence

from meanscheck.errors import LedgerError, NotProven
from meanscheck.ledger import note

SECONDS = 60


class CommandSigner:
    """Signs notes by running a command."""

    def __init__(
        self,
        key: note.VerifierKey,
        *,
        command: Sequence[str],
        seconds: int = SECONDS,
        convert: Callable[[bytes], bytes] | None = None,
    ) -> None:
        """
        Args:
            key: the public key; every signature is verified by it.
            command: program and arguments. Secrets do not belong here, since others can list them: the command finds
                them by itself.
            seconds: after which the command, with all it started, is ended.
            convert: turns what the command writes into the form that notes carry, such as `sm2.from_der`.
        """
        if isinstance(command, str) or not command:
            raise LedgerError("a signing command is a list, program first and then one item for each argument")
        if seconds < 1:
            raise LedgerError("a signing command needs at least a second")
        self.key = key
        self._command, self._seconds, self._convert = tuple(command), seconds, convert

    def __repr__(self) -> str:
        return f"CommandSigner({self.key.label})"

    def sign_note(self, text: str) -> bytes:
        """The signature of the command over a note text, verified.

        Raises:
            LedgerError: the command is missing, fails, takes too long, or gives no signature of the key.
        """
        output = self._run(text.encode())
        for signature in (_decoded(output), output):
            if signature and self._fits(text, signature):
                return self._converted(signature)
        raise LedgerError(
            f"the signing command gave something else than a signature of key {self.key.label} over the text"
        )

    def _fits(self, text: str, signature: bytes) -> bool:
        try:
            self.key.verify(text, self._converted(signature))
        except (NotProven, ValueError):
            return False
        return True

    def _converted(self, signature: bytes) -> bytes:
        return signature if self._convert is None else self._convert(signature)

    def _run(self, data: bytes) -> bytes:
        try:
            # A session of its own, so that what the command starts can be ended with it.
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else None
            raise LedgerError(f"the signing command cannot be started: {why or 'it is no program'}") from None
        with process:
            try:
                output, _ = process.communicate(data, timeout=self._seconds)
            except subprocess.TimeoutExpired:
                _end(process)
                raise LedgerError(f"the signing command did not end within {self._seconds} s") from None
            except BaseException:
                _end(process)
                raise
        if process.returncode:
            raise LedgerError(f"the signing command failed with exit code {process.returncode}; run it by hand to see")
        return output


def _decoded(output: bytes) -> bytes | None:
    """What base64 text stands for; None for anything else."""
    try:
        return note.decode64("".join(output.decode("ascii").split()))
    except UnicodeDecodeError:
        return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command and what it started; the command itself may have ended, and its output be held open by a child."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
