import FxferNetwork
import FxferProtocol
import FxferStorage
import FxferTrust
import NIOCore
import NIOSSL
import Synchronization

/// Decides, for one connection, whether the server's key is the one that is expected. It is asked in the middle of the
/// handshake, before a word of this protocol is sent; a server that does not own its key fails after that.
final class ServerVerification: Sendable {
    private let trust: ServerTrust
    private let server: Endpoint
    private let verdict = Mutex<FxferError?>(nil)

    init(_ trust: ServerTrust, of server: Endpoint) {
        self.trust = trust
        self.server = server
    }

    /// Why the server was refused; nil where it was not.
    var failure: FxferError? { self.verdict.withLock { $0 } }

    /// Whether certificates are judged here, not by their signatures.
    var judgesKeys: Bool {
        if case .authorities = self.trust { false } else { true }
    }

    /// NIOSSL's callback.
    func verify(_ chain: [NIOSSLCertificate], _ promise: EventLoopPromise<NIOSSLVerificationResult>) {
        promise.completeWithTask {
            do {
                guard let leaf = chain.first else { throw NIOSSLError.noCertificateToValidate }
                try await self.judge(ServerCertificate(leaf).fingerprint)
                return .certificateVerified
            } catch {
                self.verdict.withLock { $0 = FxferError(wrapping: error) }
                return .failed
            }
        }
    }

    private func judge(_ fingerprint: KeyFingerprint) async throws {
        switch self.trust {
        case .key(let expected):
            guard fingerprint == expected else { throw self.wrongKey(fingerprint, expected) }
        case .knownHosts(let hosts):
            let name = "\(self.server)"
            let known = try await DiskPool.shared.run { try hosts?.fingerprint(of: name) }
            guard let hosts, let known, fingerprint != known.fingerprint else { return }
            throw self.changedKey(fingerprint, known.fingerprint, EscapedText.escape(hosts.path), line: known.line)
        case .authorities:
            preconditionFailure("BoringSSL judges certificates that authorities sign")
        }
    }

    private func wrongKey(_ found: KeyFingerprint, _ expected: KeyFingerprint) -> FxferError {
        FxferError(
            .notPermitted,
            "\(self.server) has the key \(found), not \(expected) as --server-key says: it is another server, or someone "
                + "stands between; nothing was sent"
        )
    }

    private func changedKey(
        _ found: KeyFingerprint,
        _ known: KeyFingerprint,
        _ file: String,
        line: Int
    ) -> FxferError {
        FxferError(
            .notPermitted,
            "THE KEY OF \(self.server) HAS CHANGED: someone may stand between you and the server, or it has a new "
                + "identity. It was \(known) and is \(found). Nothing was sent. If its operator ('fxfer identity' there) "
                + "confirms the new one, remove line \(line) of \(file)"
        )
    }
}

extension ServerTrust {
    /// Remembers the key of a server that has done everything to be believed.
    ///
    /// - Returns: nil where it was known or need not be.
    func remember(_ fingerprint: KeyFingerprint, of server: Endpoint, isProven: Bool) async -> FirstContact? {
        guard case .knownHosts(let hosts) = self else { return nil }
        var failure: FxferError?
        do {
            let name = "\(server)"
            guard let hosts else { throw FxferError(.io, "neither XDG_CONFIG_HOME nor HOME is set") }
            let isKnown = try await DiskPool.shared.run {
                guard try hosts.fingerprint(of: name) == nil else { return true }
                try hosts.record(fingerprint, of: name)
                return false
            }
            if isKnown { return nil }
        } catch {
            failure = FxferError(wrapping: error)
        }
        return FirstContact(server: server, fingerprint: fingerprint, isProven: isProven, failure: failure)
    }
}
