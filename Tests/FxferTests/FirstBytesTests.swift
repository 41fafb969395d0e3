import FxferProtocol
import Testing

@testable import Fxfer

@Suite("the first bytes tell who is on the line")
struct FirstBytesTests {
    @Test("a native preamble is recognised when it is whole, and waited for before")
    func native() {
        for count in 0..<Preamble.bytes.count {
            #expect(FirstBytes(Preamble.bytes.prefix(count)) == .undecided)
        }
        #expect(FirstBytes(Preamble.bytes) == .native)
        #expect(FirstBytes(Preamble.bytes + [0, 1, 2]) == .native)
    }

    @Test(
        "a client of another protocol gets an answer of its own kind",
        arguments: [
            ("GET / HTTP/1.1\r\n", "HTTP/1.1 400 Bad Request\r\n"),
            ("POST /x HTTP/1.1\r\n", "HTTP/1.1 400 Bad Request\r\n"),
            ("PRI * HTTP/2.0\r\n", "HTTP/1.1 400 Bad Request\r\n"),
            ("SSH-2.0-OpenSSH_9.2\r\n", "fxfer: this port does not speak SSH\r\n"),
            ("hello", "fxfer: this port speaks the fxfer protocol only\r\n"),
            ("Client connected", "fxfer: this port speaks the fxfer protocol only\r\n"),
        ]
    )
    func strangers(words: String, answer: String) throws {
        guard case .stranger(let bytes) = FirstBytes(Array(words.utf8)) else {
            Issue.record("'\(words)' was not taken for a stranger")
            return
        }
        #expect(String(decoding: bytes, as: UTF8.self).hasPrefix(answer))
    }

    @Test("TLS is told from everything else where it is spoken")
    func tls() {
        #expect(FirstBytes([0x16], speaksTLS: true) == .undecided)
        #expect(FirstBytes([0x16, 0x03, 0x01, 0x02, 0x00], speaksTLS: true) == .tls)
        #expect(FirstBytes(Preamble.bytes, speaksTLS: true) == .native)
    }

    @Test("a TLS client gets a fatal alert where TLS is not spoken")
    func noTLS() {
        #expect(
            FirstBytes([0x16, 0x03, 0x01, 0x02, 0x00]) == .stranger(answer: [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28])
        )
    }

    @Test("what may still become a known protocol is waited for", arguments: ["G", "GE", "GET", "P", "SSH", "CONNECT"])
    func undecided(words: String) {
        #expect(FirstBytes(Array(words.utf8)) == .undecided)
    }

    @Test("a preamble that a text-mangling path has altered is a stranger's")
    func mangled() {
        let withoutCarriageReturn = Preamble.bytes.filter { $0 != 0x0D } + [0]
        guard case .stranger = FirstBytes(withoutCarriageReturn) else {
            Issue.record("a mangled preamble was taken for a native one")
            return
        }
    }

    @Test("a guest's opening is recognised when it is whole, and waited for before")
    func guest() {
        let opening = Array("Client connected".utf8)
        for count in 0..<opening.count {
            #expect(FirstBytes(opening.prefix(count), guestOpening: opening) == .undecided)
        }
        #expect(FirstBytes(opening, guestOpening: opening) == .guest)
        #expect(FirstBytes(opening + [0x0A], guestOpening: opening) == .guest)
        #expect(FirstBytes(Preamble.bytes, guestOpening: opening) == .native)
    }
}
