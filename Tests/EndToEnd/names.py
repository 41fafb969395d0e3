"""Names that have broken programs before: those that are refused everywhere, and those that are like any other."""

import unicodedata

REFUSED = [
    *(b"../x", b"a/../../x", b"a/../x", b"/etc/x", b"..", b".", b"", b"/", b"//", b"a//b", b"a/", b"/a", b"a/."),
    *(b"a/..", b"./a", b"a/./b", b"../outside", b"..//outside", b"a/../../outside", b"/" * 4096),
    # A combining character makes one `Character` of itself and the dot or slash before it.
    *(b"../\xcc\x81x", b"a/../\xcc\x81x", b"\xcc\x81/../../x", b"/\xcc\x81etc/x", b"a/\xcc\x81/../../../x"),
    *(b"x\xcc\x81/..", b"../x\xcd\x8f", b"/\xe2\x83\x9d", b"..\x00", b"a\x00", b"a\x00/../../x"),
    *(b"\x00", b"old\x00.txt"),
    *(b"a\nb", b"a\r\nb", b"\n", b"x\x1b[2J", b"x\x7f", b"x\ty", b"x\x08\x08y", b"\x07", b"a/b\n/c"),
    *(b"x" * 256, b"a/" + b"x" * 256, b"x" * 256 + b"/a", b"x" * 4097, b"x" * 65000),
    *(b"/".join([b"d" * 78] * 63 + [b"x"]), b"/".join([b"d"] * 65), b"/".join([b"d"] * 1000), b"a/" * 30000),
    *(b".fxfer", b".fxfer/x", b".fxfer/partials/x", b".fxfer/partials/x.part"),
]
STORED = [
    *(b"%2e%2e%2fx", b"..%2fx", b"..\\x", b"C:\\x", b"...", b"..a", b"a..", b".a", b" ", b". ", b" ..", b"~", b"~root"),
    *(b"-rf", b"--", b"-", b".bashrc", b"*", b"$(id)", b"`id`", b";id", b"%s%n", b"'", b'"', b"|cat", b"&", b"a b"),
    *(b"%", b".\xcc\x81", b"..\xcc\x81", b"..\xcc\x81\xcc\x81/x", b"c/\xcc\x81b", b"\xcc\x81", b"...\xcd\x8f"),
    *(b"\xff\xfe", b"\xc0\xae\xc0\xae\xc0\xafx", b"\xed\xa0\x80", b"caf\xe9", b"\xef\xbf\xbd", b"\xc2\x85"),
    *(b"\xe2\x80\xa8", b"x\x9b2J", b"x\xc2\x9b2J", b"\xe2\x80\xaegpj.exe", b"\xe2\x81\xa6x"),
    *(b"\xef\xbb\xbfx", b"\xe2\x80\x8bx"),
    *(unicodedata.normalize(form, "é").encode() for form in ("NFC", "NFD")),
    *(b"A", b"a", "ß".encode()),
    *(b"y" * 255, b"f/" + b"y" * 255, b"/".join([b"e"] * 64), b"z" * 251 + b".tmp"),
    *(b"/".join([b"d" * 58] * 64), b"partials", b"x.part", b"x.json"),
    *(b".fxferx", b".FXFER", b".fxfer ", b"b/.fxfer", b"b/.fxfer2/x", b"fxfer", b".fxfer\xcc\x81", b"lock", b".lock"),
]
