@testable import FxferProtocol

extension FuzzTarget {
    /// Whatever frames come in a greeting: nothing begins before HELLO, WELCOME and, with a token, the proofs; and what is
    /// agreed on was asked for.
    ///
    /// Input: a byte for what each side is like, then frames, a byte for the kind and some for the values.
    static let greeting = FuzzTarget(
        "greeting",
        maxLength: 256,
        seeds: [[0, 0], [1, 0, 1], [3, 0, 0, 1, 1], (0..<100).map { UInt8($0) }]
    ) { bytes in
        var input = FuzzInput(bytes)
        let kinds = input.byte()
        try Self.greetServer(&input, kinds)
        try Self.greetClient(&input, kinds)
    }

    private static func greetServer(_ input: inout FuzzInput, _ kinds: UInt8) throws {
        let takesTokens = kinds & 1 != 0
        let key: [UInt8]? = kinds & 2 == 0 ? nil : Array(repeating: 1, count: ReceiptKey.encodedSize)
        let capabilities: Capabilities = takesTokens ? [.share, .proof] : [.share, .levels]
        var server = ServerHandshake(filesInFlight: 7, capabilities: capabilities, receiptKey: key)
        let nonce = Nonce(bytes: Array(repeating: 2, count: Nonce.byteCount))
        var wasWelcomed = false
        for _ in 0..<4 {
            let frame = Self.frame(&input)
            do throws(FxferError) {
                let step = try server.receive(frame, nonce: nonce)
                switch (step, frame) {
                case (.begin(let welcome), .hello(let hello)):
                    try Self.check(welcome, hello, mayGrant: capabilities, key)
                    try Self.expect(!takesTokens && server.isDone, "work begins without a proof")
                case (.demandProof(let welcome), .hello(let hello)):
                    try Self.check(welcome, hello, mayGrant: capabilities, key)
                    try Self.expect(takesTokens && !server.isDone, "a proof is demanded for nothing")
                case (.judge(let proof, let nonces), .auth(let auth)):
                    try Self.expect(wasWelcomed && takesTokens && server.isDone, "a proof is judged that was not due")
                    try Self.expect(proof == auth.proof && nonces.server == nonce, "another proof is judged")
                default:
                    try Self.expect(false, "\(frame) leads to \(step)")
                }
                try Self.expect(!wasWelcomed || takesTokens, "a greeting goes on behind its end")
                wasWelcomed = true
            } catch {
                if error.code == .internal { throw BrokenRule(description: error.message) }
                return
            }
        }
    }

    private static func greetClient(_ input: inout FuzzInput, _ kinds: UInt8) throws {
        let (hasToken, wantsReceipts) = (kinds & 4 != 0, kinds & 8 != 0)
        let level = kinds & 16 == 0 ? Durability.durable : .media
        var client = ClientHandshake(
            chunkSize: input.integer(),
            nonce: Nonce(bytes: Array(repeating: 3, count: Nonce.byteCount)),
            hasToken: hasToken,
            wantsReceipts: wantsReceipts,
            level: level
        )
        let hello = client.hello
        var isProving = false
        for _ in 0..<4 {
            let frame = Self.frame(&input)
            do throws(FxferError) {
                switch (try client.receive(frame), frame) {
                case (.begin(let welcome), .welcome):
                    try Self.check(welcome, hello, mayGrant: [.share, .receipts, .levels], welcome.receiptKey)
                    try Self.expect(!hasToken, "work begins without a proof")
                    try Self.expect(!wantsReceipts || welcome.receiptKey != nil, "receipts will not be signed")
                    return
                case (.prove(let nonces), .welcome(let welcome)):
                    try Self.expect(hasToken && nonces.server == welcome.nonce, "a proof is made for another")
                    isProving = true
                case (.check(let proof, _, _), .auth(let auth)):
                    try Self.expect(isProving && proof == auth.proof, "a proof is checked that was not due")
                    return
                case (let step, _): try Self.expect(false, "\(frame) leads to \(step)")
                }
            } catch {
                if error.code == .internal, case .error = frame { return }
                if error.code == .internal { throw BrokenRule(description: error.message) }
                return
            }
        }
    }

    private static func check(
        _ welcome: Welcome,
        _ hello: Hello,
        mayGrant: Capabilities,
        _ key: [UInt8]?
    ) throws(FxferError) {
        let granted = Capabilities(rawValue: welcome.capabilities)
        let wanted = Capabilities(rawValue: hello.capabilities)
        let most = mayGrant.union(key == nil ? [] : .receipts)
        try Self.expect(granted.isSubset(of: wanted), "more is granted than asked for")
        try Self.expect(granted.isSubset(of: most), "more is granted than may be")
        try Self.expect(Chunk.sizes.contains(welcome.chunkSize), "chunks of \(welcome.chunkSize) bytes")
        try Self.expect(welcome.chunkSize <= max(hello.chunkSize, Chunk.sizes.lowerBound), "larger chunks than wanted")
        try Self.expect(hello.versions.contains(welcome.version), "a version that is not spoken")
    }

    /// As an error that no handshake throws.
    private static func expect(_ holds: Bool, _ rule: @autoclosure () -> String) throws(FxferError) {
        guard holds else { throw FxferError(.internal, rule()) }
    }

    private static func frame(_ input: inout FuzzInput) -> Frame {
        let nonce = Nonce(bytes: Array(repeating: input.byte(), count: Nonce.byteCount))
        switch input.choice(8) {
        case 0...1:
            let lowest = UInt16(input.choice(3))
            return .hello(
                Hello(
                    versions: lowest...lowest + UInt16(input.choice(3)),
                    chunkSize: input.integer(),
                    capabilities: input.flag() ? UInt64(input.byte()) : input.integer(),
                    nonce: nonce
                )
            )
        case 2...4:
            return .welcome(
                Welcome(
                    version: UInt16(input.choice(3)),
                    filesInFlight: UInt16(input.choice(3)),
                    chunkSize: input.flag() ? 65_536 : input.integer(),
                    capabilities: input.flag() ? UInt64(input.byte()) : input.integer(),
                    nonce: nonce,
                    receiptKey: input.flag() ? Array(repeating: 0, count: ReceiptKey.encodedSize) : nil
                )
            )
        case 5: return .auth(Auth(proof: Digest(ofContent: input.bytes(1))))
        case 6: return .error(SessionFailure(code: WireCode(rawValue: UInt16(input.byte())), message: "\u{9B}"))
        default: return .bye
        }
    }
}
