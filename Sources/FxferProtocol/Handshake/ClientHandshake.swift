/// The client's half of the greeting: one HELLO out, one WELCOME in.
///
/// ```
///  waiting ── WELCOME ──> done        ERROR ──> that error        anything else ──> protocolViolation
/// ```
package struct ClientHandshake {
    /// What the client says first, behind the preamble.
    package let hello: Hello

    /// - Parameter chunkSize: the largest chunk to ask for, in bytes; see ``Chunk/sizes``.
    package init(chunkSize: UInt32, nonce: Nonce) {
        self.hello = Hello(
            versions: ProtocolVersion.supported,
            chunkSize: chunkSize,
            capabilities: Capabilities.all.rawValue,
            nonce: nonce
        )
    }

    /// Judges the first frame from the server.
    ///
    /// - Throws: the server's own error; `protocolViolation` for another frame, or terms that were not offered.
    package consuming func receive(_ frame: Frame) throws(FxferError) -> Welcome {
        switch frame {
        case .welcome(let welcome):
            guard self.hello.versions.contains(welcome.version) else {
                throw FxferError(.unsupportedVersion, "the server chose protocol version \(welcome.version)")
            }
            let wish = max(self.hello.chunkSize, Chunk.sizes.lowerBound)
            guard Chunk.sizes.contains(welcome.chunkSize), welcome.chunkSize <= wish, welcome.filesInFlight > 0
            else {
                throw FxferError(.protocolViolation, "the server's WELCOME is out of its limits")
            }
            return welcome
        case .error(let failure):
            throw failure.error
        default:
            throw FxferError(.protocolViolation, "the server's first frame has type \(frame.type), not WELCOME")
        }
    }
}
