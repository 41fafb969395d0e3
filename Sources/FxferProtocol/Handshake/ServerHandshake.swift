/// The server's half of the greeting: one HELLO in, one WELCOME out, and where it takes tokens one AUTH in each
/// direction.
///
/// ```
///  greeting ── HELLO ──> done                      without tokens
///  greeting ── HELLO ──> proving ── AUTH ──> done  with tokens
///
///  greeting: anything else ──> protocolViolation   proving: anything else ──> notPermitted
/// ```
package struct ServerHandshake {
    /// What the owner does about a frame.
    package enum Step: Hashable {
        /// Send this, and begin with the work.
        case begin(Welcome)
        /// Send this; nothing is worked on before the client's proof.
        case demandProof(Welcome)
        /// Look for the token that this proves over these nonces; where there is one, send AUTH with the server's
        /// own proof, and begin.
        case judge(proof: Digest, Nonces)
    }

    private enum State {
        case greeting
        case proving(Nonces)
        case done
    }

    private let filesInFlight: UInt16
    private let capabilities: Capabilities
    private let receiptKey: [UInt8]?
    private let largestChunk: UInt32
    private var state = State.greeting

    /// - Parameters:
    ///   - filesInFlight: how many files a client may have open at once, at least 1.
    ///   - capabilities: what is granted to a client that asks for it; with ``Capabilities/proof`` a client has to.
    ///   - receiptKey: the DER of the key that signs receipts for those who want that; nil to sign none.
    ///   - largestChunk: the largest chunk that is granted, in bytes, whatever a client wishes; see ``Chunk/sizes``.
    package init(
        filesInFlight: UInt16,
        capabilities: Capabilities = [],
        receiptKey: [UInt8]? = nil,
        largestChunk: UInt32 = Chunk.sizes.upperBound
    ) {
        precondition(Chunk.sizes.contains(largestChunk), "a chunk of that size cannot be agreed on")
        precondition(filesInFlight > 0, "a connection without files has no use")
        self.filesInFlight = filesInFlight
        self.capabilities = receiptKey == nil ? capabilities : capabilities.union(.receipts)
        self.receiptKey = receiptKey
        self.largestChunk = largestChunk
    }

    /// Whether nothing of the greeting is missing.
    package var isDone: Bool {
        if case .done = self.state { true } else { false }
    }

    /// Answers a frame of the client.
    ///
    /// - Parameter nonce: this side's; used for WELCOME.
    /// - Throws: `protocolViolation` where the first frame is not HELLO, `unsupportedVersion` where no version is
    ///   common, `notPermitted` where a proof has to come and does not.
    package mutating func receive(_ frame: Frame, nonce: @autoclosure () -> Nonce) throws(FxferError) -> Step {
        switch (self.state, frame) {
        case (.greeting, .hello(let hello)):
            let welcome = try self.welcome(hello, nonce: nonce())
            guard self.capabilities.contains(.proof) else {
                self.state = .done
                return .begin(welcome)
            }
            guard Capabilities(rawValue: hello.capabilities).contains(.proof) else { throw Self.tokenNeeded }
            self.state = .proving(Nonces(client: hello.nonce, server: welcome.nonce))
            return .demandProof(welcome)
        case (.proving(let nonces), .auth(let auth)):
            self.state = .done
            return .judge(proof: auth.proof, nonces)
        case (.proving, _):
            throw FxferError(.notPermitted, "the proof of a token has to come before a frame of type \(frame.type)")
        default:
            throw FxferError(.protocolViolation, "the first frame has type \(frame.type), not HELLO")
        }
    }

    private func welcome(_ hello: Hello, nonce: Nonce) throws(FxferError) -> Welcome {
        let highest = min(hello.versions.upperBound, ProtocolVersion.supported.upperBound)
        guard hello.versions.contains(highest), ProtocolVersion.supported.contains(highest) else {
            throw FxferError(
                .unsupportedVersion,
                "the client speaks protocol versions \(hello.versions), this server \(ProtocolVersion.supported)"
            )
        }
        let granted = self.capabilities.intersection(Capabilities(rawValue: hello.capabilities))
        let chunkSize = min(max(hello.chunkSize, Chunk.sizes.lowerBound), self.largestChunk)
        return Welcome(
            version: highest,
            filesInFlight: self.filesInFlight,
            chunkSize: chunkSize,
            capabilities: granted.rawValue,
            nonce: nonce,
            receiptKey: granted.contains(.receipts) ? self.receiptKey : nil
        )
    }

    private static var tokenNeeded: FxferError {
        FxferError(
            .notPermitted,
            "this server lets in only those who have a token: ask its operator for one, and give it by --token-file FILE "
                + "or FXFER_TOKEN"
        )
    }
}
