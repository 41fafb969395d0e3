/// The client's half of the greeting: one HELLO out, one WELCOME in, and with a token one AUTH in each direction.
///
/// ```
///  greeting ── WELCOME ──> done                         without a token
///  greeting ── WELCOME ──> proving ── AUTH ──> done     with one
///
///  in any state: ERROR ──> that error        anything else ──> protocolViolation
/// ```
package struct ClientHandshake {
    /// What the owner does about a frame.
    package enum Step: Hashable {
        /// Begin with the work on these terms.
        case begin(Welcome)
        /// Send AUTH with the client's proof over these nonces.
        case prove(Nonces)
        /// Compare this proof with the server's own over these nonces; where they are equal, begin.
        case check(proof: Digest, Nonces, Welcome)
    }

    private enum State {
        case greeting
        case proving(Welcome)
        case done
    }

    /// What the client says first, behind the preamble.
    package let hello: Hello
    private let level: Durability
    private var state = State.greeting

    /// - Parameters:
    ///   - chunkSize: the largest chunk to ask for, in bytes; see ``Chunk/sizes``.
    ///   - hasToken: whether both sides have to prove that they know a token.
    ///   - wantsReceipts: whether the server has to sign its receipts.
    ///   - level: how durable files have to become. A server that knows only one level makes them durable.
    package init(
        chunkSize: UInt32,
        nonce: Nonce,
        hasToken: Bool = false,
        wantsReceipts: Bool = false,
        level: Durability = .durable
    ) {
        self.level = level
        var capabilities: Capabilities = .share
        if hasToken { capabilities.insert(.proof) }
        if wantsReceipts { capabilities.insert(.receipts) }
        if level != .durable { capabilities.insert(.levels) }
        self.hello = Hello(
            versions: ProtocolVersion.supported,
            chunkSize: chunkSize,
            capabilities: capabilities.rawValue,
            nonce: nonce
        )
    }

    /// Judges a frame from the server.
    ///
    /// - Throws: the server's own error; `notPermitted` where the server does not want the proof that this side
    ///   insists on, does not sign the receipts that it wants, or cannot go as far as `level`; `protocolViolation` for another frame, or terms that
    ///   were not offered.
    package mutating func receive(_ frame: Frame) throws(FxferError) -> Step {
        switch (self.state, frame) {
        case (_, .error(let failure)):
            throw failure.error
        case (.greeting, .welcome(let welcome)):
            try self.check(welcome)
            guard Capabilities(rawValue: self.hello.capabilities).contains(.proof) else {
                self.state = .done
                return .begin(welcome)
            }
            guard Capabilities(rawValue: welcome.capabilities).contains(.proof) else {
                throw FxferError(
                    .notPermitted,
                    "the server takes no token, so it cannot prove who it is; to go on without a token, give none (FXFER_TOKEN is one, too)"
                )
            }
            self.state = .proving(welcome)
            return .prove(self.nonces(welcome))
        case (.proving(let welcome), .auth(let auth)):
            self.state = .done
            return .check(proof: auth.proof, self.nonces(welcome), welcome)
        case (.greeting, _):
            throw FxferError(.protocolViolation, "the server's first frame has type \(frame.type), not WELCOME")
        default:
            throw FxferError(.protocolViolation, "a frame of type \(frame.type) came in the middle of the greeting")
        }
    }

    private func check(_ welcome: Welcome) throws(FxferError) {
        guard self.hello.versions.contains(welcome.version) else {
            throw FxferError(.unsupportedVersion, "the server chose protocol version \(welcome.version)")
        }
        let wish = max(self.hello.chunkSize, Chunk.sizes.lowerBound)
        guard Chunk.sizes.contains(welcome.chunkSize), welcome.chunkSize <= wish, welcome.filesInFlight > 0
        else {
            throw FxferError(.protocolViolation, "the server's WELCOME is out of its limits")
        }
        let granted = Capabilities(rawValue: welcome.capabilities)
        guard granted.isSubset(of: Capabilities(rawValue: self.hello.capabilities)) else {
            throw FxferError(.protocolViolation, "the server grants what was not asked for")
        }
        guard self.level <= .durable || granted.contains(.levels) else {
            throw FxferError(
                .notPermitted,
                "the server keeps no files at the level '\(self.level.name)', so nothing was sent; leave out --require, or "
                    + "have its operator bring it up to date"
            )
        }
        guard Capabilities(rawValue: self.hello.capabilities).contains(.receipts) else { return }
        guard granted.contains(.receipts) else {
            throw FxferError(
                .notPermitted,
                "the server signs no receipts, so nothing was sent; leave out --receipts, or have its operator give it a "
                    + "key on P-256"
            )
        }
        guard welcome.receiptKey != nil else {
            throw FxferError(.protocolViolation, "the server promises signed receipts and does not name its key")
        }
    }

    private func nonces(_ welcome: Welcome) -> Nonces {
        Nonces(client: self.hello.nonce, server: welcome.nonce)
    }
}
