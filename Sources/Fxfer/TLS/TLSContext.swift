import FxferProtocol
import FxferStorage
import FxferTrust
import NIOSSL

/// TLS as fxfer speaks it: version 1.3, nothing older.
enum TLSContext {
    /// How long a side that closes waits for the other's close_notify.
    private static let shutdownTimeout = WireChannel.lingerTime

    /// What a server shows of itself.
    static func server(_ identity: ServerIdentity) throws(FxferError) -> NIOSSLContext {
        do {
            let chain = try NIOSSLCertificate.fromPEMBytes(identity.certificateChainPEM)
            let key = try NIOSSLPrivateKey(bytes: identity.privateKeyPEM, format: .pem)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) },
                privateKey: .privateKey(key)
            )
            configuration.minimumTLSVersion = .tlsv13
            configuration.shutdownTimeout = Self.shutdownTimeout
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw FxferError(
                .noInput,
                "the certificate and key cannot be used for TLS: \(Self.text(error))",
                cause: error
            )
        }
    }

    /// What a client believes.
    static func client(_ trust: ServerTrust) async throws(FxferError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv13
        configuration.shutdownTimeout = Self.shutdownTimeout
        switch trust {
        case .knownHosts, .key:
            // The key is looked at by ``ServerVerification``. (And the system's authorities need not be read.)
            configuration.trustRoots = .certificates([])
            configuration.certificateVerification = .noHostnameVerification
        case .authorities(let file):
            configuration.trustRoots = .certificates(try await Self.authorities(in: file))
        }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw FxferError(.internal, "TLS cannot be set up: \(Self.text(error))", cause: error)
        }
    }

    private static func authorities(in file: [UInt8]) async throws(FxferError) -> [NIOSSLCertificate] {
        let name = EscapedText.escape(file)
        do {
            let certificates = try await DiskPool.shared.run {
                try NIOSSLCertificate.fromPEMFile(String(decoding: file, as: UTF8.self))
            }
            guard !certificates.isEmpty else { throw NIOSSLError.failedToLoadCertificate }
            return certificates
        } catch {
            throw FxferError(
                .noInput,
                "'\(name)' cannot be read as certificates; --ca takes a PEM file of those who sign servers' certificates",
                cause: error
            )
        }
    }

    private static func text(_ error: any Error) -> String { EscapedText.escape("\(error)") }
}
