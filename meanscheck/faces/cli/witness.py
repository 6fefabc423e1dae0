"""``meanscheck witness``: for an audit office that makes sure that everyone sees the same log.

FOLDER/witness.key       the witness's private keys
FOLDER/witness.policy    the logs that it serves, and by which keys they sign
FOLDER/witness.state     what it cosigned last of each; beside it, under .refused, what it would not cosign
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meanscheck.errors import InputError, NotProven
from meanscheck.faces.cli.office import StorePath, office_at
from meanscheck.faces.cli.page import AsJson, complain, print_json, say

if TYPE_CHECKING:
    from meanscheck.ledger import Policy, VerifierKey, Witness

KEY, POLICY, STATE = "witness.key", "witness.policy", "witness.state"
PORT = 7380

app = typer.Typer(
    help="Cosign a log's checkpoints, so that it cannot show two histories. Run by somebody else than the log.",
    no_args_is_help=True,
)

Folder = Annotated[Path, typer.Argument(help="The witness's folder.", metavar="FOLDER")]


@app.command("init")
def init(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder, on the witness's own machine.")],
    policy: Annotated[Path, typer.Option("--policy", help="Whose log lines name the logs to serve: a *.policy file.")],
    name: Annotated[str, typer.Option("--name", help="The witness's name, such as audit.example/w1.")],
    unprotected: Annotated[
        bool, typer.Option("--unprotected-key", help="Write the keys in the clear. For trying things out.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a witness: two keys (Ed25519, ML-DSA-44), the logs that it serves, an empty state.

    The keys' passphrase is read from the environment variable MEANSCHECK_KEY_PASSPHRASE.
    """
    from meanscheck.ledger import Policy, Witness, keyfile, note

    logs = Policy(_policy_at(policy).logs)
    if not note.is_key_name(name) or len(name.encode()) > note.MAX_NAME:
        raise InputError("not a name that keys can have", where="--name", remedy="Use one such as audit.example/w1")
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError("the folder is not empty", where=folder.name or str(folder), remedy="Name a new one")
    keys = [keyfile.PrivateKey.generate(name, kind) for kind in (note.COSIGNATURE, note.ML_DSA)]
    Witness(keys, policy=logs)
    keyfile.write(folder / KEY, keys, unprotected=unprotected)
    (folder / POLICY).write_text(logs.format(), encoding="utf-8", newline="")
    Witness.begin(folder / STATE)
    lines = _policy_lines(name, [key.key for key in keys])
    if as_json:
        print_json({"name": name, "logs": [str(key) for key in logs.log_keys], "policy_lines": lines})
        return
    say(f"made: {folder / KEY}, {POLICY}, {STATE}\n\nLines for the policies of those who will trust this witness:\n")
    for line in lines:
        say(line)
    say(f"\nNext: meanscheck witness serve {folder}, or meanscheck witness answer {folder} REQUEST")


@app.command("serve")
def serve(
    folder: Folder,
    port: Annotated[int, typer.Option("--port", help="Port; 0 takes a free one.", min=0, max=65535)] = PORT,
    host: Annotated[str, typer.Option("--host", help="IP address to bind.")] = "127.0.0.1",
    beyond_loopback: Annotated[
        bool, typer.Option("--beyond-loopback", help="Allow an address that other machines can reach.")
    ] = False,
    requests: Annotated[
        int | None, typer.Option("--requests", help="Leave after so many connections.", min=1, metavar="N")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Answer requests over HTTP until stopped: POST /add-checkpoint, as in C2SP tlog-witness."""
    from meanscheck.ledger.carriers import Server

    witness = _witness_at(folder)
    server = Server(
        witness,
        clock=_now,
        host=host,
        port=port,
        beyond_loopback=beyond_loopback,
        tell=lambda fault: complain(f"meanscheck: {fault}"),
    )
    try:
        literal = f"[{host}]" if ":" in host else host
        about = {"name": witness.name, "url": f"http://{literal}:{server.server_port}", "logs": witness.origins}
        if as_json:
            print_json(about)
        else:
            say(f"{about['name']} answers at {about['url']} for {', '.join(witness.origins)}")
        typer.get_text_stream("stdout").flush()
        if requests is None:
            server.serve_forever()
        for _ in range(requests or 0):
            server.handle_request()
    finally:
        server.server_close()


@app.command("answer")
def answer(
    folder: Folder,
    request: Annotated[Path, typer.Argument(help="A request that a log's office left, *.request.", metavar="REQUEST")],
    as_json: AsJson = False,
) -> None:
    """Answer a request file; the answer is put beside it, to be carried back. Exit 1 if it is not cosigned."""
    from meanscheck.ledger.carriers import answer_file, parse_answer

    witness = _witness_at(folder)
    if not request.is_file():
        raise InputError("no such file", where=request.name, remedy="Name a request, *.request")
    target = answer_file(request, lambda data: witness.add_checkpoint(data, time=_now()))
    given = parse_answer(target.read_bytes())
    if as_json:
        print_json({"status": given.status, "cosigned": given.status == 200, "file": str(target)})
    else:
        said = "cosigned" if given.status == 200 else f"not cosigned (status {given.status})"
        say(f"{said}\nwritten: {target}, to be carried back")
    if given.status != 200:
        raise typer.Exit(1)


@app.command("ask")
def ask(
    store: StorePath,
    witness: Annotated[
        list[str],
        typer.Option("--witness", help="Its address, or a folder that is carried to it.", metavar="URL|FOLDER"),
    ],
    as_json: AsJson = False,
) -> None:
    """For the log's own office: have the newest checkpoint cosigned. Exit 1 while the policy's quorum is not met."""
    from meanscheck.faces.cli.casework import witnesses_of

    office = office_at(store)
    ledger = office.open_ledger()
    ledger.cosign(witnesses_of(office, witness))
    if as_json:
        print_json({"origin": ledger.origin, "size": ledger.size, "witnessed": True})
    else:
        say(f"cosigned: the checkpoint of {ledger.origin} at {ledger.size:,} entries has its quorum")


def _witness_at(folder: Path) -> Witness:
    from meanscheck.ledger import Witness, keyfile

    if not (folder / KEY).is_file():
        raise InputError("no witness there", where=folder.name or str(folder), remedy="`meanscheck witness init`")
    policy = _policy_at(folder / POLICY)
    return Witness(keyfile.read(folder / KEY), policy=policy, state=folder / STATE)


def _policy_at(path: Path) -> Policy:
    from meanscheck.ledger import Policy

    if not path.is_file():
        raise InputError("no such file", where=path.name, remedy="Name a policy, *.policy")
    try:
        return Policy.parse(path.read_bytes())
    except NotProven as fault:
        raise InputError(fault.why, where=path.name, remedy="Ask the log's office for its policy again") from None


def _policy_lines(name: str, keys: list[VerifierKey]) -> list[str]:
    """Witness lines, and a group for which either key is enough."""
    names = [f"{name}/{key.type}" for key in keys]
    lines = [f"witness {own} {key}" for own, key in zip(names, keys, strict=True)]
    return [*lines, f"group {name} any {' '.join(names)}", f"quorum {name}"]


def _now() -> int:
    return int(time.time())
