import FxferProtocol

/// Who is on the line, judged by the first bytes of a connection.
enum FirstBytes: Hashable {
    /// Too few bytes to tell.
    case undecided
    /// fxfer's own protocol.
    case native
    /// TLS, with fxfer's own protocol inside.
    case tls
    /// The protocol that the server's owner added.
    case guest
    /// Another protocol, with the answer that its client can show to its user.
    case stranger(answer: [UInt8])

    /// Judges the bytes so far. Every protocol is told apart by its own first bytes, so that a native client, whose
    /// preamble begins with a byte that no text has, is never taken for anything else.
    ///
    /// - Parameters:
    ///   - speaksTLS: whether this side can.
    ///   - guestOpening: what a guest's client says first; nil where there is none.
    init(_ bytes: some Collection<UInt8>, speaksTLS: Bool = false, guestOpening: [UInt8]? = nil) {
        if let guestOpening, bytes.starts(with: guestOpening) {
            self = .guest
        } else if let guestOpening, guestOpening.starts(with: bytes) {
            self = .undecided
        } else if Preamble.bytes.starts(with: bytes.prefix(Preamble.bytes.count)) {
            self = bytes.count < Preamble.bytes.count ? .undecided : .native
        } else if Self.httpMethods.contains(where: { bytes.starts(with: $0) }) {
            self = .stranger(answer: Self.httpAnswer)
        } else if bytes.starts(with: Self.sshBanner) {
            self = .stranger(answer: Array("fxfer: this port does not speak SSH\r\n".utf8))
        } else if bytes.starts(with: Self.tlsHandshake) {
            self = speaksTLS ? .tls : .stranger(answer: Self.tlsAlert)
        } else if Self.openings.contains(where: { $0.starts(with: bytes) }) {
            self = .undecided
        } else {
            self = .stranger(answer: Array("fxfer: this port speaks the fxfer protocol only\r\n".utf8))
        }
    }

    private static let httpMethods = [
        "GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ", "PRI ",
    ].map { Array($0.utf8) }
    private static let sshBanner = Array("SSH-".utf8)
    private static let tlsHandshake: [UInt8] = [0x16, 0x03]
    private static let openings = Self.httpMethods + [Self.sshBanner, Self.tlsHandshake]
    /// A fatal TLS alert, handshake_failure (RFC 8446, section 6).
    private static let tlsAlert: [UInt8] = [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28]
    private static let httpAnswer: [UInt8] = {
        let text = "This is an fxfer server, not a web server. To send a file: fxfer send FILE HOST:PORT\n"
        return Array(
            """
            HTTP/1.1 400 Bad Request\r
            Content-Type: text/plain; charset=utf-8\r
            Content-Length: \(text.utf8.count)\r
            Connection: close\r
            \r
            \(text)
            """.utf8
        )
    }()
}
