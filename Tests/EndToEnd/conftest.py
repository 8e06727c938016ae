"""What the end-to-end tests share. Run them inside a network: `entente up -- pytest Tests/EndToEnd`."""

import os
import pathlib

import pytest
import vyper
from eth_account import Account
from web3 import Web3

Account.enable_unaudited_hdwallet_features()
MNEMONIC = "test test test test test test test test test test test junk"
CONTRACTS = pathlib.Path(__file__).parent / "contracts"


def account(index):
    """One of the ten funded development accounts."""
    return Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")


@pytest.fixture(scope="session")
def rpc_url():
    url = os.environ.get("ENTENTE_RPC_URL")
    if not url:
        pytest.fail("ENTENTE_RPC_URL is not set: run this under `entente up -- pytest ...`")
    return url


@pytest.fixture(scope="session")
def w3(rpc_url):
    client = Web3(Web3.HTTPProvider(rpc_url, request_kwargs={"timeout": 60}))
    assert client.is_connected()
    return client


def compile_contract(name):
    """ABI and creation code of a Vyper contract of the contracts folder."""
    out = vyper.compile_code((CONTRACTS / f"{name}.vy").read_text(), output_formats=["abi", "bytecode"])
    return out["abi"], out["bytecode"]


def send(w3, sender, transaction):
    """Signs here, sends raw, waits for the receipt."""
    transaction = {
        "chainId": w3.eth.chain_id,
        "nonce": w3.eth.get_transaction_count(sender.address),
        "from": sender.address,
        **transaction,
    }
    if "gas" not in transaction:
        transaction["gas"] = w3.eth.estimate_gas(transaction)
    if "gasPrice" not in transaction and "maxFeePerGas" not in transaction:
        transaction["gasPrice"] = w3.eth.gas_price
    signed = sender.sign_transaction(transaction)
    return w3.eth.wait_for_transaction_receipt(w3.eth.send_raw_transaction(signed.raw_transaction), timeout=60)


def deploy(w3, sender, name, *arguments):
    """Deploys a contract and gives web3's handle on it."""
    abi, code = compile_contract(name)
    factory = w3.eth.contract(abi=abi, bytecode=code)
    data = factory.constructor(*arguments).data_in_transaction
    receipt = send(w3, sender, {"data": data, "value": 0})
    assert receipt.status == 1
    return w3.eth.contract(address=receipt.contractAddress, abi=abi)
