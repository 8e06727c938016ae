#!/usr/bin/env python3
"""Verifies ledgers, receipts and snapshots with the PyPI package ccf, which Entente has no hand in.

    ccf_check.py [--ledger DIR] [--committed-only] [--expect-last VIEW.SEQNO] [--expect-entries N]
                 [--service PEM] [--receipt FILE]... [--snapshot FILE]...

Ledgers are read at the package's full level. Receipts are JSON or COSE; the node's certificate must chain to the
service's by the default policy of `cryptography`, and a batch proof must lead to the entry's claims digest. Prints one
line of JSON; the exit code is 1 if anything is refused.

The package is installed, pinned, into a virtual environment `.venv-ccf` in the package root when it is missing.
ENTENTE_CCF_PYTHON names an interpreter that has it already.
"""

import argparse
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv-ccf"


def has_ccf(python):
    probe = subprocess.run([python, "-c", "import ccf.ledger"], capture_output=True, check=False)
    return probe.returncode == 0


def version(python):
    probe = subprocess.run(
        [python, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True, check=False)
    return tuple(map(int, probe.stdout.split())) if probe.returncode == 0 else (0, 0)


def interpreter():
    """An interpreter with the package, made if need be: 7.0.22 wants Python 3.12, older ones get 6.0.28."""
    named = os.environ.get("ENTENTE_CCF_PYTHON")
    if named:
        return named
    python = str(VENV / "bin" / "python")
    if os.path.exists(python) and has_ccf(python):
        return python
    names = ["python3.14", "python3.13", "python3.12", "python3", "python3.11", "python3.10"]
    paths = [path for path in map(shutil.which, names) if path]
    # Versions that pyenv keeps but has not put on the path.
    paths += sorted(map(str, pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv"))
                        .glob("versions/3.*/bin/python3")))
    found = [(version(path), path) for path in paths]
    new = [path for number, path in found if number >= (3, 12)]
    old = [path for number, path in found if (3, 8) <= number < (3, 12)]
    if not new + old:
        sys.exit("ccf_check: no Python of 3.8 or later")
    subprocess.run([(new + old)[0], "-m", "venv", "--clear", str(VENV)], check=True)
    # The old package's COSE library reads no messages with cbor2 6.
    packages = ["ccf==7.0.22"] if new else ["ccf==6.0.28", "cbor2==5.6.5"]
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages], check=True)
    return python


def check_ledger(args):
    import ccf.ledger

    level = getattr(ccf.ledger, "VerificationLevel", None)
    settings = {"verification_level": level.FULL} if level else {}
    ledger = ccf.ledger.Ledger([args.ledger], committed_only=args.committed_only, **settings)
    validator = ccf.ledger.LedgerValidator(accept_deprecated_entry_types=False, **settings)
    entries = 0
    for chunk in ledger:
        for transaction in chunk:
            validator.add_transaction(transaction)
            entries += 1
    last = str(validator.last_verified_txid())
    if args.expect_last and last != args.expect_last:
        raise ValueError(f"verified until {last}, not {args.expect_last}")
    if args.expect_entries is not None and entries != args.expect_entries:
        raise ValueError(f"{entries} entries, not {args.expect_entries}")
    return {"last": last, "entries": entries, "signatures": validator.signature_count}


def batch_claims(index, count, salt, digest, steps):
    """The claims digest that a batch proof leads to, by the definition in BatchTree.swift."""
    node = hashlib.sha256(b"\0" + salt + index.to_bytes(4, "big") + digest).digest()
    for is_left, sibling in steps:
        pair = sibling + node if is_left else node + sibling
        node = hashlib.sha256(b"\1" + pair).digest()
    return hashlib.sha256(b"entente/v1/batch" + count.to_bytes(4, "big") + node).digest()


def check_json_receipt(receipt, service):
    import ccf.receipt
    from cryptography.x509 import load_pem_x509_certificate

    node = load_pem_x509_certificate(receipt["cert"].encode())
    claims = None
    if "leaf_components" in receipt:
        parts = receipt["leaf_components"]
        claims = bytes.fromhex(parts["claims_digest"])
        leaf = hashlib.sha256(
            bytes.fromhex(parts["write_set_digest"])
            + hashlib.sha256(parts["commit_evidence"].encode()).digest()
            + claims).hexdigest()
    else:
        leaf = receipt["leaf"]
    ccf.receipt.verify(ccf.receipt.root(leaf, receipt["proof"]), receipt["signature"], node)
    endorsements = [load_pem_x509_certificate(pem.encode()) for pem in receipt.get("service_endorsements", [])]
    ccf.receipt.check_endorsements(node, service, endorsements)
    if hasattr(ccf.receipt, "check_cert_chain"):
        ccf.receipt.check_cert_chain(node, service, endorsements)
    batch = receipt.get("transaction")
    if batch:
        steps = [("left" in step, bytes.fromhex(next(iter(step.values())))) for step in batch["proof"]]
        found = batch_claims(
            batch["index"], batch["count"], bytes.fromhex(batch["salt"]), bytes.fromhex(batch["digest"]), steps)
        if found != claims:
            raise ValueError("the batch proof does not lead to the claims digest")
    return {"kind": "json", "batch": bool(batch)}


def check_cose_receipt(receipt, service):
    import cbor2
    import ccf.receipt

    unprotected = cbor2.loads(receipt).value[1]
    claims = cbor2.loads(unprotected[396][-1][0])[1][2]
    if hasattr(ccf.receipt, "verify_cose"):
        ccf.receipt.verify_cose(receipt, service.public_key(), claims)
    else:
        import ccf.cose

        ccf.cose.verify_receipt(receipt, service.public_key(), claims)
    batch = unprotected.get("entente.batch")
    if batch and batch_claims(*batch) != claims:
        raise ValueError("the batch proof does not lead to the claims digest")
    return {"kind": "cose", "batch": bool(batch)}


def check_receipt(path, service_path):
    from cryptography.x509 import load_pem_x509_certificate

    service = load_pem_x509_certificate(pathlib.Path(service_path).read_bytes())
    data = pathlib.Path(path).read_bytes()
    if data[:1] == b"{":
        return check_json_receipt(json.loads(data), service)
    return check_cose_receipt(data, service)


def check_snapshot(path):
    import ccf.ledger

    with ccf.ledger.Snapshot(path) as snapshot:
        domain = snapshot.get_public_domain()
        return {"seqno": domain.get_seqno(), "tables": len(domain.get_tables())}


def main():
    parser = argparse.ArgumentParser(description="Verify with the PyPI package ccf")
    parser.add_argument("--ledger")
    parser.add_argument("--committed-only", action="store_true")
    parser.add_argument("--expect-last")
    parser.add_argument("--expect-entries", type=int)
    parser.add_argument("--service")
    parser.add_argument("--receipt", action="append", default=[])
    parser.add_argument("--snapshot", action="append", default=[])
    args = parser.parse_args()

    if not os.environ.get("ENTENTE_CCF_CHILD"):
        environment = dict(os.environ, ENTENTE_CCF_CHILD="1")
        done = subprocess.run([interpreter(), __file__, *sys.argv[1:]], env=environment, check=False)
        sys.exit(done.returncode)

    import importlib.metadata

    result = {"ccf": importlib.metadata.version("ccf")}
    try:
        if args.ledger:
            result["ledger"] = check_ledger(args)
        result["receipts"] = [check_receipt(path, args.service) for path in args.receipt]
        result["snapshots"] = [check_snapshot(path) for path in args.snapshot]
    except Exception as error:  # whatever the package says is the answer
        result["error"] = f"{type(error).__name__}: {error}"
    print(json.dumps(result))
    sys.exit(1 if "error" in result else 0)


if __name__ == "__main__":
    main()
