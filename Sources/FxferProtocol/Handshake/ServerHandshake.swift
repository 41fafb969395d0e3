/// The server's half of the greeting: one HELLO in, one WELCOME out.
///
/// ```
///  waiting ── HELLO ──> done          anything else ──> protocolViolation
/// ```
package struct ServerHandshake {
    private let filesInFlight: UInt16
    private let capabilities: Capabilities

    /// - Parameters:
    ///   - filesInFlight: how many files a client may have open at once, at least 1.
    ///   - capabilities: what is granted to a client that asks for it.
    package init(filesInFlight: UInt16, capabilities: Capabilities = []) {
        precondition(filesInFlight > 0, "a connection without files has no use")
        self.filesInFlight = filesInFlight
        self.capabilities = capabilities
    }

    /// Answers the first frame of a connection.
    ///
    /// - Throws: `protocolViolation` where it is not HELLO, `unsupportedVersion` where no version is common.
    package consuming func receive(_ frame: Frame, nonce: Nonce) throws(FxferError) -> Welcome {
        guard case .hello(let hello) = frame else {
            throw FxferError(.protocolViolation, "the first frame has type \(frame.type), not HELLO")
        }
        let highest = min(hello.versions.upperBound, ProtocolVersion.supported.upperBound)
        guard hello.versions.contains(highest), ProtocolVersion.supported.contains(highest) else {
            throw FxferError(
                .unsupportedVersion,
                "the client speaks protocol versions \(hello.versions), this server \(ProtocolVersion.supported)"
            )
        }
        let chunkSize = min(max(hello.chunkSize, Chunk.sizes.lowerBound), Chunk.sizes.upperBound)
        return Welcome(
            version: highest,
            filesInFlight: self.filesInFlight,
            chunkSize: chunkSize,
            capabilities: self.capabilities.intersection(Capabilities(rawValue: hello.capabilities)).rawValue,
            nonce: nonce
        )
    }
}
