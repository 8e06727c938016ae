"""A stock web3.py against the gateway: what a DApp developer does in a day."""

import pytest
from conftest import account, deploy, send
from web3.exceptions import ContractLogicError, Web3RPCError


def test_chain_and_accounts(w3):
    assert w3.eth.chain_id > 0
    assert w3.net.version == str(w3.eth.chain_id)
    assert "entente" in w3.client_version.lower()
    assert w3.eth.syncing is False
    for index in range(10):
        assert w3.eth.get_balance(account(index).address) > 0


def test_plain_transfer(w3):
    sender, receiver = account(0), "0x00000000000000000000000000000000000a11ce"
    receiver = w3.to_checksum_address(receiver)
    before = w3.eth.get_balance(receiver)
    receipt = send(w3, sender, {"to": receiver, "value": 12345})
    assert receipt.status == 1 and receipt.gasUsed == 21000
    assert w3.eth.get_balance(receiver) == before + 12345
    transaction = w3.eth.get_transaction(receipt.transactionHash)
    assert transaction["from"] == sender.address and transaction.value == 12345
    block = w3.eth.get_block(receipt.blockNumber, full_transactions=True)
    assert block.hash == receipt.blockHash
    assert receipt.transactionHash in [t.hash for t in block.transactions]
    assert block.timestamp >= w3.eth.get_block(block.number - 1).timestamp


def test_dynamic_fee_transaction(w3):
    sender = account(1)
    base = w3.eth.get_block("latest").baseFeePerGas
    receipt = send(
        w3,
        sender,
        {
            "to": account(2).address,
            "value": 1,
            "gas": 21000,
            "maxFeePerGas": base * 2 + 10,
            "maxPriorityFeePerGas": 1,
        },
    )
    assert receipt.status == 1 and receipt.type == 2


def test_token(w3):
    owner, other = account(0), account(3)
    token = deploy(w3, owner, "Token", "Entente Dollar", "EUD", 10**24)
    assert token.functions.symbol().call() == "EUD"
    assert token.functions.balanceOf(owner.address).call() == 10**24
    receipt = send(
        w3, owner, {"to": token.address, "data": token.encode_abi("transfer", [other.address, 7]), "value": 0}
    )
    assert receipt.status == 1
    events = token.events.Transfer().process_receipt(receipt)
    assert [(e.args.sender, e.args.receiver, e.args.amount) for e in events] == [(owner.address, other.address, 7)]
    assert token.functions.balanceOf(other.address).call() == 7
    logs = token.events.Transfer().get_logs(from_block=0)
    assert len(logs) == 2
    old = token.functions.balanceOf(other.address).call(block_identifier=receipt.blockNumber - 1)
    assert old == 0


def test_reverts_carry_their_reason(w3):
    owner, poor = account(0), account(4)
    token = deploy(w3, owner, "Token", "T", "T", 1)
    with pytest.raises(ContractLogicError, match="balance too low"):
        token.functions.transfer(owner.address, 5).call({"from": poor.address})
    with pytest.raises(ContractLogicError, match="balance too low"):
        token.functions.transfer(owner.address, 5).estimate_gas({"from": poor.address})
    receipt = send(
        w3,
        poor,
        {
            "to": token.address,
            "data": token.encode_abi("transfer", [owner.address, 5]),
            "gas": 200000,
            "value": 0,
        },
    )
    assert receipt.status == 0


def test_filters(w3):
    owner = account(5)
    counter = deploy(w3, owner, "Counter")
    event_filter = counter.events.Counted.create_filter(from_block="latest")
    block_filter = w3.eth.filter("latest")
    for _ in range(3):
        assert send(w3, owner, {"to": counter.address, "data": counter.encode_abi("increment"), "value": 0}).status == 1
    assert [e.args.number for e in event_filter.get_new_entries()] == [1, 2, 3]
    assert len(block_filter.get_new_entries()) >= 3
    assert event_filter.get_new_entries() == []


def test_errors_are_ethereums(w3):
    sender = account(6)
    raw = {
        "chainId": w3.eth.chain_id,
        "nonce": w3.eth.get_transaction_count(sender.address),
        "to": sender.address,
        "value": 0,
        "gas": 21000,
        "gasPrice": w3.eth.gas_price,
    }
    signed = sender.sign_transaction(raw)
    w3.eth.wait_for_transaction_receipt(w3.eth.send_raw_transaction(signed.raw_transaction))
    with pytest.raises(Web3RPCError, match="nonce too low"):
        w3.eth.send_raw_transaction(sender.sign_transaction({**raw, "value": 1}).raw_transaction)
    with pytest.raises(Web3RPCError, match="insufficient funds"):
        too_much = {**raw, "nonce": raw["nonce"] + 1, "value": 10**40}
        w3.eth.send_raw_transaction(sender.sign_transaction(too_much).raw_transaction)
    answer = w3.provider.make_request("eth_doesNotExist", [])
    assert answer["error"]["code"] == -32601


def test_nonce_gap_waits(w3):
    sender = account(7)
    nonce = w3.eth.get_transaction_count(sender.address)
    raw = {
        "chainId": w3.eth.chain_id,
        "to": account(8).address,
        "value": 1,
        "gas": 21000,
        "gasPrice": w3.eth.gas_price,
    }
    later = sender.sign_transaction({**raw, "nonce": nonce + 1})
    first = sender.sign_transaction({**raw, "nonce": nonce})
    later_hash = w3.eth.send_raw_transaction(later.raw_transaction)
    assert w3.eth.get_transaction_count(sender.address) == nonce
    assert w3.eth.get_transaction_count(sender.address, "pending") in (nonce, nonce + 2)
    w3.eth.send_raw_transaction(first.raw_transaction)
    assert w3.eth.wait_for_transaction_receipt(later_hash, timeout=30).status == 1
    assert w3.eth.get_transaction_count(sender.address) == nonce + 2


def test_batch_requests_and_fee_history(w3):
    with w3.batch_requests() as batch:
        batch.add(w3.eth.get_block("latest"))
        batch.add(w3.eth.get_balance(account(0).address))
        block, balance = batch.execute()
    assert block.number >= 0 and balance > 0
    history = w3.eth.fee_history(2, "latest", [10, 90])
    assert len(history["baseFeePerGas"]) == len(history["gasUsedRatio"]) + 1


def test_access_list_transaction(w3):
    sender = account(8)
    owner = account(9)
    counter = deploy(w3, owner, "Counter")
    receipt = send(
        w3,
        sender,
        {
            "to": counter.address,
            "data": counter.encode_abi("increment"),
            "value": 0,
            "gas": 100000,
            "accessList": [{"address": counter.address, "storageKeys": ["0x" + "00" * 32]}],
        },
    )
    assert receipt.status == 1 and receipt.type == 1
    assert int(w3.eth.get_storage_at(counter.address, 0).hex(), 16) == 1
    assert len(w3.eth.get_code(counter.address)) > 0
