"""From an Ethereum transaction hash to a receipt that is verified offline, through the gateway alone."""

import json

import pytest
import requests
from conftest import account, deploy, send
from network import Network, rpc


@pytest.fixture(scope="module")
def network():
    return Network()


def gateway(network):
    session = requests.Session()
    session.trust_env = False
    return session


def test_a_transaction_hash_leads_to_its_receipt(network, w3, tmp_path):
    counter = deploy(w3, account(0), "Counter")
    done = send(w3, account(0), {"to": counter.address, "data": counter.encode_abi("increment"), "value": 0})
    session = gateway(network)
    _, answer = rpc(session, network.rpc_url, "entente_transactionID", done.transactionHash.to_0x_hex())
    view, seqno, index = map(int, answer["result"].split("."))
    assert view >= 2 and seqno > 1 and index == done.transactionIndex
    receipt = session.get(f"{network.rpc_url}/app/receipt", params={"transaction_id": answer["result"]}, timeout=10)
    assert receipt.status_code == 200, receipt.text
    assert receipt.json() == network.client().get(
        network.application[0] + "/app/receipt", params={"transaction_id": answer["result"]}, timeout=10
    ).json()
    path = tmp_path / "receipt.json"
    path.write_bytes(receipt.content)
    verified = network.entente("receipt", "verify", path, "--network-certificate", network.service)
    assert verified.returncode == 0, verified.stderr
    # A claim about another transaction of the ledger does not verify.
    altered = json.loads(receipt.content)
    altered["leaf_components"]["claims_digest"] = "00" * 32
    path.write_text(json.dumps(altered))
    assert network.entente("receipt", "verify", path, "--network-certificate", network.service).returncode == 1


def test_every_node_says_the_same_id(network, w3):
    hashes = [
        send(w3, account(i), {"to": account(9).address, "value": 1, "gas": 21000}).transactionHash for i in range(3)
    ]
    network.settled()
    for each in hashes:
        answers = {
            rpc(network.client(), url, "entente_transactionID", each.to_0x_hex())[1]["result"]
            for url in network.application
        }
        assert len(answers) == 1 and None not in answers
    _, answer = rpc(gateway(network), network.rpc_url, "entente_transactionID", "0x" + "00" * 32)
    assert answer["result"] is None
    _, answer = rpc(gateway(network), network.rpc_url, "entente_transactionID", "0x12")
    assert answer["error"]["code"] == -32602


def test_answers_through_the_gateway_name_their_entry(network, w3):
    done = send(w3, account(4), {"to": account(9).address, "value": 1, "gas": 21000})
    session = gateway(network)
    _, answer = rpc(session, network.rpc_url, "entente_transactionID", done.transactionHash.to_0x_hex())
    response, _ = rpc(session, network.rpc_url, "eth_blockNumber")
    reflected = response.headers["x-ms-ccf-transaction-id"]
    assert int(reflected.split(".")[1]) >= int(answer["result"].split(".")[1])
    status = session.get(f"{network.rpc_url}/app/tx", params={"transaction_id": reflected}, timeout=10).json()
    assert status["status"] == "Committed"
    assert session.get(f"{network.rpc_url}/app/receipt", params={"transaction_id": "9.9"}, timeout=10).status_code == 404
    assert session.get(f"{network.rpc_url}/node/state", timeout=10).status_code == 405
