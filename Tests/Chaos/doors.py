"""HTTP connections to nodes and gateways that say how sure a failure is."""

import http.client
import json
import socket
import ssl
import time


class NotSent(Exception):
    """The server has surely not acted: no connection could be made."""


class MaybeDone(Exception):
    """The request was on its way when the connection failed or time was up."""


def trust(service, certificate=None, key=None):
    """TLS as an actor towards nodes of the network whose certificate is in the file `service`."""
    context = ssl.create_default_context(cafile=service)
    context.check_hostname = False  # Nodes are known by the network's certificate, whatever their address is.
    if certificate:
        context.load_cert_chain(certificate, key)
    return context


class Door:
    """One kept connection; made again after a failure."""

    def __init__(self, host, port, context=None, connect=socket.create_connection):
        self.host, self.port, self.context, self.connect = host, port, context, connect
        self._open = None
        self._used = 0.0

    def _connection(self, timeout):
        if self._open is not None and time.monotonic() - self._used < 50:
            self._open.sock.settimeout(timeout)
            return self._open
        self.close()
        sock = None
        try:
            sock = self.connect((self.host, self.port), timeout=timeout)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context:
                sock = self.context.wrap_socket(sock)
        except OSError as error:
            if sock is not None:
                sock.close()
            raise NotSent(f"{type(error).__name__}: {error}") from error
        connection = http.client.HTTPConnection(self.host, self.port)
        connection.sock = sock
        self._open = connection
        return connection

    def request(self, method, path, body=None, headers=None, timeout=5.0):
        """Gives status, headers and body.

        Raises NotSent or MaybeDone. A kept connection that turns out to be closed counts as MaybeDone: nobody can tell.
        """
        connection = self._connection(timeout)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise MaybeDone(f"{type(error).__name__}: {error}") from error
        self._used = time.monotonic()
        if response.will_close:
            self.close()
        return response.status, response.headers, data

    def get(self, path, timeout=5.0):
        """A JSON resource."""
        status, _, data = self.request("GET", path, timeout=timeout)
        if status != 200:
            raise NotSent(f"status {status}: {data[:200]!r}")
        return json.loads(data)

    def rpc(self, method, *parameters, headers=None, timeout=5.0):
        """A JSON-RPC call; gives status, headers and the parsed answer."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)})
        fields = {"content-type": "application/json", **(headers or {})}
        status, headers, data = self.request("POST", "/", body, fields, timeout)
        try:
            return status, headers, json.loads(data)
        except ValueError as error:
            raise MaybeDone(f"status {status} and no JSON: {data[:100]!r}") from error

    def close(self):
        if self._open is not None:
            self._open.close()
            self._open = None
