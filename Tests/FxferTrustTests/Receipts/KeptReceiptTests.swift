import FxferProtocol
import Testing

@testable import FxferTrust

@Suite("Receipts that were kept")
struct KeptReceiptTests {
    private let folder: TemporaryFolder
    private let statement: [UInt8]
    private let signature: [UInt8]
    private let fingerprint: KeyFingerprint

    init() throws {
        self.folder = try TemporaryFolder()
        let key = try PrivateKey.makeP256()
        let publicKey = try #require(PublicKey(subjectPublicKeyInfo: try key.subjectPublicKeyInfo()))
        self.statement = Self.statement(by: publicKey.receiptKey)
        self.signature = try key.sign(self.statement)
        self.fingerprint = publicKey.fingerprint
    }

    private static func statement(by key: ReceiptKey) -> [UInt8] {
        ReceiptStatement(
            path: [0x61],
            content: FilePrefix(length: 3, digest: .ofNothing),
            stored: StoredEntry(time: FileTime(seconds: 1_700_000_000, nanoseconds: 5), durability: .durable),
            outcome: .stored,
            key: key
        ).bytes
    }

    /// Writes the two files and reads them as a receipt.
    private func read(
        _ statement: [UInt8]? = nil,
        _ signature: [UInt8]? = nil,
        signedBy expected: KeyFingerprint? = nil
    ) throws -> Result<KeptReceipt, FxferError> {
        let path = try self.folder.write(statement ?? self.statement, to: "a.receipt.json")
        try self.folder.write(signature ?? self.signature, to: "a.receipt.sig")
        return Result { () throws(FxferError) in try KeptReceipt.read(path: path, signedBy: expected) }
    }

    private func failure(_ result: Result<KeptReceipt, FxferError>) -> FxferError.Code? {
        if case .failure(let error) = result { error.code } else { nil }
    }

    @Test("what a server wrote is verified")
    func whole() throws {
        for expected in [nil, self.fingerprint] {
            let receipt = try self.read(signedBy: expected).get()
            #expect(receipt.statement.path == [0x61])
            #expect(receipt.fingerprint == self.fingerprint)
        }
    }

    @Test("a changed byte in either file is damage")
    func changed() throws {
        for index in self.statement.indices {
            var changed = self.statement
            changed[index] ^= 0x01
            #expect(self.failure(try self.read(changed)) == .damaged, "byte \(index) of the statement")
        }
        for index in self.signature.indices {
            var changed = self.signature
            changed[index] ^= 0x80
            #expect(self.failure(try self.read(nil, changed)) == .damaged, "byte \(index) of the signature")
        }
        #expect(self.failure(try self.read([])) == .damaged)
        #expect(self.failure(try self.read(nil, [])) == .damaged)
        #expect(self.failure(try self.read()) == nil)
    }

    @Test("another key than the expected one is damage")
    func otherKey() throws {
        let other = KeyFingerprint(subjectPublicKeyInfo: [1])
        #expect(self.failure(try self.read(signedBy: other)) == .damaged)
    }

    @Test("a key that is not on P-256 signs nothing", arguments: [.rsa, .p384, .ed25519] as [TestKey.Kind])
    func otherKind(kind: TestKey.Kind) throws {
        let key = try PrivateKey.read(pem: TestKey(kind).pem)
        let encoded = try key.subjectPublicKeyInfo()
        let named = ReceiptKey(
            fingerprint: KeyFingerprint(subjectPublicKeyInfo: encoded).description,
            encoded: String(decoding: Base64.encodePadded(encoded), as: UTF8.self)
        )
        let statement = Self.statement(by: named)
        // Ed25519 has its own digest, and signs in another call: any signature will do.
        let signature = kind == .ed25519 ? self.signature : try key.sign(statement)
        #expect(self.failure(try self.read(statement, signature)) == .damaged)
    }

    @Test("a file that is missing is named")
    func missing() throws {
        let path = try self.folder.write(self.statement, to: "b.receipt.json")
        let error = #expect(throws: FxferError.self) { try KeptReceipt.read(path: path, signedBy: nil) }
        #expect(error?.code == .noInput)
        #expect(error?.message.contains("b.receipt.sig") == true)
    }

    @Test("a name without the ending is a mistake", arguments: ["a", "a.receipt.sig", "a.json", ".receipt.json"])
    func name(name: String) {
        let error = #expect(throws: FxferError.self) {
            try KeptReceipt.read(path: Array(name.utf8), signedBy: nil)
        }
        #expect(error?.code == .usage)
    }
}
