import FxferProtocol
import Glibc

extension DirectoryStore {
    /// Opens the directory for receiving; makes it and its folders where they are missing, and removes what servers that
    /// were killed left in it.
    ///
    /// Symbolic links in `path` are followed: it is the operator's own word. `.fxfer` in it must not be one.
    ///
    /// - Throws: `.cannotCreate`, `.noSpace` or `.io`; `CancellationError`.
    package static func open(
        path: [UInt8],
        options: Options = Options(),
        pool: DiskPool = .shared
    ) async throws -> DirectoryStore {
        try await pool.run { DirectoryStore(try OpenedDirectory(path, options), options, pool) }
    }

    /// Makes the directory where it is missing, as ``open(path:options:pool:)`` does, and nothing in it.
    ///
    /// - Throws: what opening it would.
    package static func makeDirectory(at path: [UInt8]) throws(FxferError) {
        try OpenedDirectory.receiving(into: path) { _ = try ReceivingFolder.open(path) }
    }
}

/// The descriptors of a directory that is ready to receive.
struct OpenedDirectory: Sendable {
    let tree: FolderTree
    let partials: PartialsFolder
    let leftoversRemoved: Int
    /// Nil where files are staged beside a user's own.
    let records: StoreRecords?

    init(_ path: [UInt8], _ options: DirectoryStore.Options) throws(FxferError) {
        (self.tree, self.partials, self.leftoversRemoved, self.records) = try Self.receiving(into: path) {
            let tree = try FolderTree(root: try ReceivingFolder.open(path))
            switch options.layout {
            case .ownFolder:
                let state = try Self.openOwn(".fxfer", in: tree.root)
                let partials = PartialsFolder(try Self.openOwn("partials", in: state), rules: options.partialRules)
                let states = StatesFolder(try Self.openOwn("states", in: state))
                states.sweep()
                let records = StoreRecords(ledger: try Ledger(LedgerFolder(state, of: path)), states: states)
                return (tree, partials, try partials.sweep() + partials.expire(), records)
            case .beside:
                let partials = PartialsFolder(
                    try tree.root.openFolderBeneath(.itself),
                    prefix: DirectoryStore.prefixBeside,
                    rules: options.partialRules
                )
                // Partials stay here however old: the folder is its user's, who may come back to them.
                return (tree, partials, try partials.sweep(), nil)
            }
        }
    }

    /// Runs file calls that make the directory at `path` ready; tells a failed one as a failure to receive into it.
    static func receiving<Result>(into path: [UInt8], _ body: () throws -> Result) throws(FxferError) -> Result {
        let text = EscapedText.escape(path)
        guard !path.isEmpty, !path.contains(0) else {
            throw FxferError(.cannotCreate, "cannot receive into '\(text)': this is no path")
        }
        do {
            return try body()
        } catch let error as FxferError {
            throw error
        } catch let error as Errno {
            throw FxferError(error.receiverCode, "cannot receive into '\(text)': \(error)", cause: error)
        } catch let obstacle as Obstacle {
            throw FxferError(.cannotCreate, "cannot receive into '\(text)': \(obstacle.explanation)")
        } catch {
            throw FxferError(.internal, "cannot receive into '\(text)'", cause: error)
        }
    }

    /// Why a folder of the receiver's own is not trusted.
    private struct Obstacle: Error {
        let explanation: String
    }

    /// A folder of the receiver's own, made where it is missing, for this user only.
    ///
    /// One that belongs to another user is refused: its owner could swap a staged file for another before it gets its
    /// name.
    private static func openOwn(_ name: String, in folder: borrowing OwnedDescriptor) throws -> OwnedDescriptor {
        do {
            try folder.makeFolder(CPath(name), mode: 0o700)
            try folder.sync()
        } catch {
            guard error.number == EEXIST else { throw error }
        }
        let own: OwnedDescriptor
        do {
            own = try folder.openFolderBeneath(CPath(name))
        } catch {
            switch error.number {
            case ELOOP: throw Obstacle(explanation: "'\(name)' in it is a symbolic link; remove it")
            case ENOTDIR: throw Obstacle(explanation: "'\(name)' in it is not a directory; remove it")
            default: throw error
            }
        }
        let status = try own.status()
        guard status.owner == geteuid() else {
            throw Obstacle(explanation: "'\(name)' in it belongs to another user; serve as that user or remove it")
        }
        if status.permissions != 0o700 { try own.setPermissions(0o700) }
        return own
    }
}
