"""The programs that are compared: each module knows how one is served, asked, and what it cannot do."""

from peers.curl import Curl
from peers.fxfer import Fxfer, FxferTLS
from peers.netcat import Netcat, NetcatTee, TarNetcat
from peers.openssh import Scp
from peers.reference import Reference
from peers.rsync import Rsync, RsyncFsync, RsyncNodelay

#: In the order of tables. fxfer is first: the others are compared with it.
ALL = (Fxfer, FxferTLS, Reference, Rsync, RsyncNodelay, RsyncFsync, Scp, Curl, Netcat, NetcatTee, TarNetcat)
