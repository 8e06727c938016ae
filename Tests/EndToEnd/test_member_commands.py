"""The commands that members use, by a running network, with keys in files and in a token (SoftHSM by pkcs11-tool)."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest
from governance import Members, action
from network import Network


@pytest.fixture(scope="module")
def network():
    return Network()


def entente(network, *arguments, code=0):
    done = network.entente(*arguments)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def write(path, text):
    path.write_text(text)
    return path


def test_propose_vote_list_show_watch_withdraw(network, tmp_path):
    where = ("--data", network.data)
    file = write(tmp_path / "tune.yaml", "title: Tune\nballot: for\nactions:\n  - set_parameters: {batch.transactionsMax: 64}\n")
    made = entente(network, "member", "propose", file, *where)
    assert "is Open" in made and "Next: each member: entente member vote" in made
    short = made.split()[1][:12]
    assert short in entente(network, "governance", "list", "--open", *where)
    assert "batch.transactionsMax: 64" in entente(network, "governance", "show", short, *where)
    watcher = subprocess.Popen(
        [network.binary, "governance", "watch", "--proposal", short, "--seconds", "30", *map(str, where)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    done = entente(network, "member", "vote", short, "for", "--as", "bravo", *where)
    assert "is Accepted" in done and "Next:" in done
    said = watcher.communicate(timeout=40)[0]
    assert "Accepted" in said and "Open" in said
    assert "entries differ" not in said
    assert "batch.transactionsMax: 64" in entente(network, "governance", "constitution", *where)
    second = json.loads(entente(network, "member", "propose", write(tmp_path / "close.yaml", "actions: [{set_open: false}]"), *where, "--json"))
    refused = network.entente("member", "withdraw", second["proposalId"], "--as", "bravo", *where)
    assert refused.returncode == 1 and "AuthorizationFailed" in refused.stderr
    assert "Withdrawn" in entente(network, "member", "withdraw", second["proposalId"][:10], *where)
    assert "there is no proposal" in network.entente("member", "vote", "ffffffff0", "for", *where).stderr


def test_signing_apart(network, tmp_path):
    """prepare, sign with openssl, finish, submit by another member's session."""
    actors = network.data / "actors"
    file = write(tmp_path / "p.yaml", "ballot: for\nactions: [{set_parameters: {batch.transactionsMax: 65}}]\n")
    prepared = tmp_path / "prepared"
    entente(network, "member", "prepare", "propose", file, "--output", prepared,
            "--signing-certificate", actors / "bravo.pem", "--data", network.data)  # fmt: skip
    signature = tmp_path / "signature"
    subprocess.run(["openssl", "dgst", "-sha256", "-sign", actors / "bravo.key", "-out", signature, f"{prepared}.tbs"], check=True)
    message = tmp_path / "message.cose"
    wrong = write(tmp_path / "wrong", "no signature")
    refused = network.entente("member", "finish", prepared, "--signature", wrong, "--output", message)
    assert refused.returncode == 1 and "does not fit" in refused.stderr and not message.exists()
    assert "Next: entente member submit" in entente(network, "member", "finish", prepared, "--signature", signature, "--output", message)
    made = json.loads(entente(network, "member", "submit", message, "--data", network.data, "--as", "charlie", "--json"))
    assert made["proposerId"] == "bravo" and made["votes"] == {"bravo": "for"}
    entente(network, "member", "prepare", "vote", made["proposalId"], "for", "--output", prepared,
            "--signing-certificate", actors / "charlie.pem", "--data", network.data)  # fmt: skip
    subprocess.run(["openssl", "dgst", "-sha256", "-sign", actors / "charlie.key", "-out", signature, f"{prepared}.tbs"], check=True)
    entente(network, "member", "finish", prepared, "--signature", signature, "--output", message)
    assert "Accepted" in entente(network, "member", "submit", message, "--member", "charlie", "--data", network.data)


@pytest.fixture
def token(tmp_path):
    """A token with a P-256 key that never leaves it, and what pkcs11-tool needs to use it."""
    module = next((p for p in map(pathlib.Path, ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")) if p.exists()), None)
    if not module or not shutil.which("pkcs11-tool") or not shutil.which("softhsm2-util"):
        pytest.skip("softhsm2 and opensc are not installed (Debian packages of these names)")
    (tmp_path / "tokens").mkdir()
    conf = write(tmp_path / "softhsm2.conf", f"directories.tokendir = {tmp_path}/tokens\n")
    environment = os.environ | {"SOFTHSM2_CONF": str(conf)}
    run = lambda *a: subprocess.run([str(x) for x in a], env=environment, check=True, capture_output=True)
    run("softhsm2-util", "--init-token", "--free", "--label", "echo", "--pin", "1234", "--so-pin", "5678")
    tool = ["pkcs11-tool", "--module", module, "--token-label", "echo", "--pin", "1234"]
    run(*tool, "--keypairgen", "--key-type", "EC:prime256v1", "--id", "01", "--label", "member")
    run(*tool, "--read-object", "--type", "pubkey", "--id", "01", "--output-file", tmp_path / "public.der")
    command = f"SOFTHSM2_CONF={conf} " + " ".join(map(str, tool)) + " --sign --mechanism ECDSA --id 01 --signature-format rs"
    sign = write(tmp_path / "sign.sh", f"#!/bin/sh\nset -e\nt=$(mktemp -d)\nopenssl dgst -sha256 -binary > $t/in\n{command} --input-file $t/in --output-file $t/out >&2\ncat $t/out\nrm -r $t\n")
    sign.chmod(0o755)
    return tmp_path / "public.der", sign


def certificate_for(public, sign, path, name):
    """A self-signed certificate whose key is in the token: what a bank's authority would issue."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = serialization.load_der_public_key(public.read_bytes())
    authority = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"authority of {name}")])
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=30)).sign(authority, hashes.SHA256())
    )  # fmt: skip
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return path


def test_a_key_in_a_token_signs_proposals_and_votes(network, tmp_path, token):
    public, sign = token
    certificate = certificate_for(public, sign, tmp_path / "token.pem", "alpha")
    members = Members(network, tmp_path)
    # alpha gets a second certificate, whose key is in the token, beside the one of its sessions.
    own = (network.data / "actors" / "alpha.pem").read_text()
    members.pass_(action("set_member", id="alpha", certificates=[own, certificate.read_text()]))
    file = write(tmp_path / "p.yaml", "ballot: for\nactions: [{set_parameters: {batch.transactionsMax: 66}}]\n")
    made = entente(network, "member", "propose", file, "--data", network.data,
                   "--signing-certificate", certificate, "--sign-with", sign)  # fmt: skip
    assert "is Open" in made
    assert "is Accepted" in entente(network, "member", "vote", made.split()[1][:12], "for", "--as", "bravo", "--data", network.data)
    bad = network.entente("member", "propose", file, "--data", network.data, "--signing-certificate", certificate, "--sign-with", "cat")
    assert bad.returncode == 1 and "token" not in bad.stdout
