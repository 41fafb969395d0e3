import FxferProtocol
import FxferStorage
import Glibc
import Testing

@testable import FxferTrust

/// `serve --cert FILE --key FILE`
@Suite struct ServerCertificateTests {
    private let folder: TemporaryFolder
    private let issuer: TestKey

    init() throws {
        self.folder = try TemporaryFolder()
        self.issuer = try TestKey(.p256)
    }

    private func load() throws(FxferError) -> ServerIdentity {
        try ServerIdentity.load(certificate: self.folder.bytes("cert"), key: self.folder.bytes("key"))
    }

    @Test(
        "keys of each kind that is usual are taken, with the whole chain",
        arguments: [TestKey.Kind.rsa, .p256, .p384]
    )
    func kinds(kind: TestKey.Kind) throws {
        let key = try TestKey(kind)
        let leaf = try key.certificate(by: self.issuer)
        let above = try self.issuer.certificate(by: self.issuer)
        try self.folder.write("Issued for a test\n".utf8 + leaf + above, to: "cert", mode: 0o644)
        try self.folder.write(key.pem, to: "key")
        let identity = try self.load()
        #expect(identity.certificateChainPEM == leaf + above)
        #expect(identity.privateKeyPEM == key.pem)
        #expect(try identity.fingerprint == PrivateKey.read(pem: key.pem).fingerprint())
        #expect(try identity.certificateDigest == CertificateChain.read(pem: leaf).leaf.digest())
    }

    @Test("symbolic links are followed, and one file may have both")
    func links() throws {
        try self.folder.write(self.issuer.pem + self.issuer.certificate(by: self.issuer), to: "both")
        try once { symlink("both", self.folder("cert")) }
        try once { symlink("both", self.folder("key")) }
        #expect(try self.load().privateKeyPEM == self.issuer.pem)
    }

    @Test("a key file that the group can read is taken, any more is not", arguments: [0o640, 0o600, 0o400] as [mode_t])
    func permissions(mode: mode_t) throws {
        try self.folder.write(self.issuer.certificate(by: self.issuer), to: "cert", mode: 0o666)
        try self.folder.write(self.issuer.pem, to: "key", mode: mode)
        _ = try self.load()
        for bit in [0o020, 0o004, 0o002, 0o001] as [mode_t] {
            try once { chmod(self.folder("key"), mode | bit) }
            #expect(failure { () throws(FxferError) in _ = try self.load() }?.code == .notPermitted)
        }
    }

    /// The failure to load these two.
    private func refusal(_ certificate: [UInt8], _ key: [UInt8]) throws -> FxferError? {
        try self.folder.write(certificate, to: "cert")
        try self.folder.write(key, to: "key")
        return failure(secrets: ["PRIVATE KEY"]) { () throws(FxferError) in _ = try self.load() }
    }

    @Test("an encrypted key is refused, with a word on how to decrypt it", arguments: TestKey.Kind.allCases)
    func encrypted(kind: TestKey.Kind) throws {
        let key = try TestKey(kind)
        let error = try self.refusal(key.certificate(by: self.issuer), key.encrypted())
        #expect(error?.code == .noInput)
        #expect(error?.message.contains("openssl pkey") == true)
    }

    @Test("a key that clients do not take is refused at once")
    func unusual() throws {
        let key = try TestKey(.ed25519)
        let error = try self.refusal(key.certificate(by: self.issuer), key.pem)
        #expect(error?.code == .noInput)
        #expect(error?.message.contains("P-256") == true)
    }

    @Test("a key that is not that of the first certificate is refused")
    func mismatch() throws {
        let key = try TestKey(.p384)
        let leaf = try key.certificate(by: self.issuer)
        let above = try self.issuer.certificate(by: self.issuer)
        #expect(try self.refusal(above + leaf, key.pem)?.code == .noInput)
        #expect(try self.refusal(leaf, self.issuer.pem)?.code == .noInput)
    }

    @Test("files without what they should have are refused")
    func missing() throws {
        let certificate = try self.issuer.certificate(by: self.issuer)
        #expect(try self.refusal([], self.issuer.pem)?.code == .noInput)
        #expect(try self.refusal(certificate, [])?.code == .noInput)
        #expect(try self.refusal(self.issuer.pem, certificate)?.code == .noInput)
        #expect(try self.refusal(Array(certificate.dropLast(40)), self.issuer.pem)?.code == .noInput)
        #expect(try self.refusal(certificate + certificate.dropLast(40), self.issuer.pem)?.code == .noInput)
        #expect(try self.refusal(certificate, Array(self.issuer.pem.dropLast(40)))?.code == .noInput)
        try once { unlink(self.folder("key")) }
        #expect(failure { () throws(FxferError) in _ = try self.load() }?.code == .noInput)
    }
}
