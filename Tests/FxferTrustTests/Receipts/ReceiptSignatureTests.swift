import FxferProtocol
import Testing

@testable import FxferTrust

@Suite("Signatures of receipts")
struct ReceiptSignatureTests {
    private static let stored = StoredEntry(
        time: FileTime(seconds: 1_700_000_000, nanoseconds: 5),
        durability: .durable,
        entry: .ofNothing
    )

    private static func receipt(_ path: String = "a/b") -> Receipt {
        Receipt(
            file: 1,
            outcome: .stored,
            content: FilePrefix(length: 3, digest: .ofNothing),
            path: Array(path.utf8)
        )
    }

    private static func signer(_ kind: TestKey.Kind = .p256) throws -> ReceiptSigner? {
        try ReceiptSigner(PrivateKey.read(pem: TestKey(kind).pem))
    }

    /// A signed receipt, its key, and the bytes that are signed.
    private static func signed() throws -> (receipt: Receipt, key: PublicKey, statement: [UInt8]) {
        let signer = try #require(try Self.signer())
        var receipt = Self.receipt()
        try signer.sign(&receipt, Self.stored)
        let key = try #require(PublicKey(subjectPublicKeyInfo: signer.subjectPublicKeyInfo))
        return (receipt, key, try #require(key.statement(of: receipt)))
    }

    @Test("what a server signed is verified by its public key, and by no other")
    func roundTrip() throws {
        let (receipt, key, statement) = try Self.signed()
        #expect(ReceiptStatement(reading: statement)?.stored == Self.stored)
        #expect(ReceiptStatement(reading: statement)?.key == key.receiptKey)
        #expect(PublicKey(key.receiptKey)?.fingerprint == key.fingerprint)
        let signature = try #require(receipt.attestation?.signature)
        #expect(key.isSignature(signature, of: statement))
        let other = try #require(try Self.signer())
        let otherKey = try #require(PublicKey(subjectPublicKeyInfo: other.subjectPublicKeyInfo))
        #expect(!otherKey.isSignature(signature, of: statement))
        #expect(otherKey.statement(of: receipt) == nil)
    }

    @Test("the example of the specification is verified")
    func example() throws {
        let key = ReceiptKey(
            fingerprint: "SHA256:Z4WYI2WAbYnRiZRXRL7z3JlUATm7QEwHtsnRwn4clog",
            encoded:
                "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEix9dhxYiIN1KwSOLezfAIbLJcQiWTMCnNLSDtVXyk7RdqFG3V5UP0jYpCDPtJkF7"
                + "FKc6j2ChV+RIbphiTYR3/A=="
        )
        let digest = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
        // Two numbers of 33 bytes, made by openssl(1).
        let numbers = [
            "00e1f70032d22c102d646a5824c72e1d1567033142f25a5defe4c7080a321ef57e",
            "009f8e5c637fc21caf689faeda5758cbfd08bdcc8512c1bbff6378f14a94569494",
        ]
        let statement = ReceiptStatement(
            path: Array("hello.txt".utf8),
            content: FilePrefix(length: 6, digest: try #require(Digest(hex: digest))),
            stored: StoredEntry(
                time: FileTime(seconds: 1_700_000_001, nanoseconds: 500_000_000),
                durability: .durable
            ),
            outcome: .stored,
            key: key
        )
        let signature: [UInt8] =
            [0x30, 0x46] + numbers.flatMap { number -> [UInt8] in [0x02, 0x21] + Self.bytes(number) }
        #expect(try #require(PublicKey(key)).isSignature(signature, of: statement.bytes))
    }

    /// The bytes that hexadecimal digits stand for.
    private static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.compactMap(\.hexDigitValue).map(UInt8.init)
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    @Test("an identity that is made here can sign, and its key is that of its fingerprint")
    func identity() throws {
        let folder = try TemporaryFolder()
        let identity = try ServerIdentity.loadOrMake(in: folder.bytes("identity")).identity
        let signer = try #require(identity.signer)
        #expect(PublicKey(subjectPublicKeyInfo: signer.subjectPublicKeyInfo)?.fingerprint == identity.fingerprint)
    }

    @Test("only keys on P-256 sign", arguments: TestKey.Kind.allCases)
    func otherKinds(kind: TestKey.Kind) throws {
        #expect(try (Self.signer(kind) != nil) == (kind == .p256))
        let encoded = try PrivateKey.read(pem: TestKey(kind).pem).subjectPublicKeyInfo()
        #expect((PublicKey(subjectPublicKeyInfo: encoded) != nil) == (kind == .p256))
    }

    @Test("a statement or signature with any bit flipped is not verified")
    func flippedBit() throws {
        let (receipt, key, statement) = try Self.signed()
        let signature = try #require(receipt.attestation?.signature)
        for index in statement.indices {
            var flipped = statement
            flipped[index] ^= 1 << UInt8(index % 8)
            #expect(!key.isSignature(signature, of: flipped), "byte \(index)")
        }
        for index in signature.indices {
            for bit in 0..<8 {
                var flipped = signature
                flipped[index] ^= 1 << UInt8(bit)
                #expect(!key.isSignature(flipped, of: statement), "bit \(bit) of byte \(index)")
            }
        }
        for other in [[], signature.dropLast(), signature + [0], Array(signature.reversed())] as [[UInt8]] {
            #expect(!key.isSignature(other, of: statement))
        }
    }

    @Test("a receipt that says anything else than what was signed is not verified")
    func otherReceipt() throws {
        let (signed, key, _) = try Self.signed()
        let changes: [(inout Receipt) -> Void] = [
            { $0.path = [0x61] }, { $0.outcome = .replaced }, { $0.content.length = 4 }, { $0.content.digest = .zero },
            { $0.attestation?.stored.time = FileTime(seconds: 1_700_000_000, nanoseconds: 6) },
            { $0.attestation?.stored.durability = .media }, { $0.attestation?.stored.entry = nil },
            { $0.attestation = nil },
        ]
        for (number, change) in changes.enumerated() {
            var receipt = signed
            change(&receipt)
            #expect(key.statement(of: receipt) == nil, "change \(number)")
        }
    }

    @Test("a public key with any bit flipped is no key, or another one")
    func flippedKey() throws {
        let encoded = try #require(try Self.signer()).subjectPublicKeyInfo
        for index in encoded.indices {
            var flipped = encoded
            flipped[index] ^= 1 << UInt8(index % 8)
            #expect(PublicKey(subjectPublicKeyInfo: flipped) == nil, "byte \(index): not on the curve")
        }
        for other in [[], encoded.dropLast(), encoded + [0]] as [[UInt8]] {
            #expect(PublicKey(subjectPublicKeyInfo: other) == nil)
        }
    }

    @Test("a statement's fingerprint has to be that of its key")
    func otherFingerprint() throws {
        let one = try Self.signed().key.receiptKey
        let other = try Self.signed().key.receiptKey
        #expect(PublicKey(ReceiptKey(fingerprint: other.fingerprint, encoded: one.encoded)) == nil)
        #expect(PublicKey(ReceiptKey(fingerprint: one.fingerprint, encoded: String(one.encoded.dropLast()))) == nil)
        #expect(PublicKey(ReceiptKey(fingerprint: one.fingerprint, encoded: one.encoded + "=")) == nil)
        #expect(PublicKey(ReceiptKey(fingerprint: "", encoded: "")) == nil)
    }
}
