import FxferProtocol

@testable import FxferTrust

extension FuzzTarget {
    /// Keys and certificates in PEM form are read, or are not, and those that are read can be written and read again.
    ///
    /// Input: the text; the corpus begins it, as keys are made by other tools.
    static let pem = FuzzTarget(
        "pem",
        maxLength: 4096,
        seeds: [
            Array("-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n".utf8),
            Array("-----BEGIN PRIVATE KEY-----\nMAAA\n-----END PRIVATE KEY-----\n".utf8),
        ]
    ) { bytes in
        try Self.checkKey(bytes)
        guard let chain = try? CertificateChain.read(pem: bytes) else { return }
        let again = try CertificateChain.read(pem: chain.pem)
        try require(again.pem == chain.pem, "a chain is written in two ways")
        try require(try again.leaf.digest() == chain.leaf.digest(), "a certificate is read as another")
        if let key = try? PrivateKey.read(pem: bytes) { _ = chain.leaf.belongs(to: key) }
    }

    private static func checkKey(_ bytes: [UInt8]) throws {
        guard let key = try? PrivateKey.read(pem: bytes) else { return }
        let again = try PrivateKey.read(pem: try key.pem())
        try require(try again.fingerprint() == key.fingerprint(), "a key is read as another")
        guard key.isP256, key.isWhole, let signer = try ReceiptSigner(key) else { return }
        let message = Array("message".utf8)
        let signature = try key.sign(message)
        let publicKey = PublicKey(subjectPublicKeyInfo: signer.subjectPublicKeyInfo)
        try require(publicKey?.isSignature(signature, of: message) == true, "a signature is not one")
    }

    /// Nothing but the very statement that was signed is taken for it.
    ///
    /// Input: the length of the statement in two bytes, the statement, its signature, as a client keeps them. The corpus
    /// has one that is right.
    static let keptReceipt = FuzzTarget("kept-receipt", maxLength: 1024, seeds: [[0, 1, 0x7B, 0x30]]) { bytes in
        var input = FuzzInput(bytes)
        let statement = input.bytes(Int(input.integer(UInt16.self)))
        let signature = Array(input.rest)
        guard let read = ReceiptStatement(reading: statement), let key = PublicKey(read.key) else { return }
        try require(key.receiptKey == read.key, "a key is read as another")
        guard key.isSignature(signature, of: statement) else { return }
        // Whoever finds another one has found more than a fault of fxfer.
        try require(statement == Self.signedStatement, "what was never signed has a signature")
    }

    /// The only statement that was ever signed by the key in `testdata/fuzz/kept-receipt/signed`.
    private static let signedStatement: [UInt8] = {
        let bytes = (try? Testdata.bytes(of: "fuzz/kept-receipt/signed")) ?? []
        return Array(bytes.dropFirst(2).prefix(bytes.prefix(2).reduce(0) { $0 << 8 | Int($1) }))
    }()
}
