import socket

import pytest

from indexer.errors import ListenError
from service.cli.serving import listen


def test_accepted_connections_name_their_protocol_so_that_replies_are_not_held_back() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.proto == socket.IPPROTO_TCP


def test_a_taken_port_is_told_with_the_remedy() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ListenError, match="PORT=8001"):
            listen("127.0.0.1", port)
