import FxferProtocol
import FxferStorage
import Glibc

/// The directory with the file of an identity.
struct IdentityFolder: ~Copyable {
    private static let name = CPath("identity.pem")
    /// What the names of files that are not published yet begin with.
    private static let newPrefix = Array(".new-identity-".utf8)
    private static let rules = FileRules(
        title: "identity file",
        maxSize: 1 << 20,
        forbidden: 0o077,
        checksOwner: true
    )

    private let folder: OwnedDescriptor
    /// The file's path, escaped.
    private let path: String

    private init(_ folder: consuming OwnedDescriptor, _ path: String) {
        self.folder = folder
        self.path = path
    }

    /// Opens the directory, made where it is missing.
    ///
    /// - Throws: `.cannotCreate`, `.notPermitted`, `.noSpace`, `.io`.
    static func open(_ directory: [UInt8]) throws(FxferError) -> IdentityFolder {
        let text = EscapedText.escape(directory)
        guard !directory.isEmpty, !directory.contains(0) else {
            throw FxferError(.cannotCreate, "cannot keep an identity in '\(text)': this is no path")
        }
        do {
            let folder = try ReceivingFolder.open(directory, mode: 0o700)
            return IdentityFolder(folder, "\(text)\(text.hasSuffix("/") ? "" : "/")identity.pem")
        } catch {
            throw Self.failure(error, "cannot keep an identity in '\(text)'")
        }
    }

    /// The identity; nil where there is none.
    ///
    /// - Throws: as ``ServerIdentity/loadOrMake(in:)``.
    func load() throws(FxferError) -> ServerIdentity? {
        let file: OwnedDescriptor
        do {
            file = try self.folder.openBeneath(Self.name, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        } catch {
            switch error.number {
            case ENOENT: return nil
            case ELOOP:
                throw FxferError(
                    .notPermitted,
                    "the identity file '\(self.path)' is a symbolic link; put the file itself there"
                )
            default: throw Self.rules.failure(error, reading: self.path)
            }
        }
        return try self.identity(in: Self.rules.read(file, named: self.path))
    }

    /// Makes an identity, unless another process is faster, whose identity it is then.
    func make() throws(FxferError) -> (identity: ServerIdentity, isNew: Bool) {
        let key = try PrivateKey.makeP256()
        let chain = CertificateChain(try Certificate.selfSigned(by: key))
        let identity = try ServerIdentity(chain, key)
        if try self.publish(identity.privateKeyPEM + identity.certificateChainPEM) { return (identity, true) }
        guard let first = try self.load() else {
            throw FxferError(.io, "the identity file '\(self.path)' was removed just now; try again")
        }
        return (first, false)
    }

    /// Gives a file with `content` its name, durable; false where the name is taken.
    private func publish(_ content: [UInt8]) throws(FxferError) -> Bool {
        let newName = CPath(Self.newPrefix + Base64.encodeForNames(RandomBytes.make(32)))
        do throws(Errno) {
            let file = try self.folder.openBeneath(newName, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
            var isFirst = true
            do {
                try file.setPermissions(0o600)
                try file.write(content)
                try file.sync()
                try self.folder.move(newName, to: self.folder, as: Self.name)
            } catch {
                try? self.folder.remove(newName)
                // ENOENT: whoever was first has swept it.
                guard [EEXIST, ENOENT].contains(error.number) else { throw error }
                isFirst = false
            }
            try self.folder.sync()
            if isFirst { self.sweep() }
            return isFirst
        } catch {
            throw Self.failure(error, "cannot make the identity file '\(self.path)'")
        }
    }

    /// Removes the files of those that were not first, or were killed before they had published theirs.
    private func sweep() {
        for name in (try? self.folder.names()) ?? [] where name.bytes.starts(with: Self.newPrefix) {
            try? self.folder.remove(name)
        }
    }

    private static func failure(_ error: Errno, _ what: String) -> FxferError {
        let code: FxferError.Code =
            switch error.number {
            case ENOSPC, EDQUOT: .noSpace
            case EACCES, EPERM: .notPermitted
            case ENOTDIR, ELOOP, ENAMETOOLONG, EROFS, EEXIST: .cannotCreate
            default: .io
            }
        return FxferError(code, "\(what): \(error); name another directory with --identity", cause: error)
    }

    /// The identity that is written so.
    ///
    /// - Throws: `.noInput` where it is none, or not whole.
    func identity(in text: [UInt8]) throws(FxferError) -> ServerIdentity {
        let key: PrivateKey
        do throws(PEMFailure) {
            key = try PrivateKey.read(pem: text)
        } catch {
            throw self.damage(text.isEmpty ? "is empty" : Self.explanation(error, "private key"))
        }
        guard key.isP256 else { throw self.damage("has a key in it that is not on the curve P-256") }
        guard key.isWhole else { throw self.damage(Self.explanation(.broken, "private key")) }
        let chain: CertificateChain
        do throws(PEMFailure) {
            chain = try CertificateChain.read(pem: text)
        } catch {
            throw self.damage(Self.explanation(error, "certificate"))
        }
        guard chain.leaf.belongs(to: key) else {
            throw self.damage("has a key and a certificate in it that do not belong together")
        }
        guard chain.leaf.isSigned(by: key) else { throw self.damage("has a damaged certificate in it") }
        return try ServerIdentity(chain, key)
    }

    private static func explanation(_ failure: PEMFailure, _ what: String) -> String {
        switch failure {
        case .missing: "has no \(what) in it"
        case .broken: "has a damaged \(what) in it"
        case .encrypted: "has an encrypted \(what) in it, which is not supported here"
        }
    }

    /// Never made anew unasked: clients know the server by the old one.
    private func damage(_ what: String) -> FxferError {
        FxferError(
            .noInput,
            "the identity file '\(self.path)' \(what); put back a copy of it, or remove it for a new identity, which "
                + "clients will not know"
        )
    }
}
