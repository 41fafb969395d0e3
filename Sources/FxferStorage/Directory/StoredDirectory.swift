import FxferProtocol
import Glibc

/// A server's directory, for those who look after what is stored there; servers may be running on it.
///
/// Calls block: they are for threads of the ``DiskPool``.
package struct StoredDirectory: Sendable {
    let tree: FolderTree
    let ledger: LedgerFolder
    /// Nil where none are kept.
    let states: StatesFolder?

    /// Opens the directory at `path`, whose symbolic links are followed.
    ///
    /// - Throws: `.noInput` where there is no such directory, no server has ever used it, or it cannot be read.
    package init(at path: [UInt8]) throws(FxferError) {
        let text = EscapedText.escape(path)
        do throws(Errno) {
            guard !path.isEmpty, !path.contains(0) else { throw Errno(ENOENT) }
            self.tree = try FolderTree(root: try OwnedDescriptor.open(CPath(path), O_RDONLY | O_DIRECTORY))
        } catch {
            let reason = error.number == ENOENT ? "'\(text)' does not exist" : "cannot read '\(text)': \(error)"
            throw FxferError(.noInput, reason, cause: error)
        }
        do throws(Errno) {
            self.ledger = LedgerFolder(try self.tree.root.openFolderBeneath(CPath(".fxfer")), of: path)
            self.states = try? StatesFolder(self.tree.root.openBeneath(CPath(".fxfer/states"), O_RDONLY | O_DIRECTORY))
        } catch {
            let reason = error.number == ENOENT ? "no server has stored anything there" : "cannot read .fxfer: \(error)"
            throw FxferError(.noInput, "there is no ledger in '\(text)': \(reason)", cause: error)
        }
    }

    /// What the ledger says now: the last entry of each path.
    package func readLedger() throws(FxferError) -> LedgerContent {
        try LedgerContent(of: self.ledger)
    }

    /// Leaves of the ledger the last entry of each path, and of the kept states those of their contents; answers how many
    /// entries there were and are, and which files were forgotten, in the order of their paths' bytes.
    ///
    /// - Parameter droppingMissing: whether entries of files that are not there any more are left out, too.
    /// - Throws: `.noInput`, `.damaged` naming the line, `.noSpace`, `.io`. The ledger is as it was then.
    package func compactLedger(
        droppingMissing: Bool
    ) throws -> (before: Int, after: Int, forgotten: [RelativePath]) {
        var forgotten: [RelativePath] = []
        let (before, after) = try LedgerCompaction(self.ledger) { path in
            if try !droppingMissing || self.tree.has(path) { return true }
            forgotten.append(path)
            return false
        }.run()
        if let states {
            // States that are kept just now, for a file that is not in the ledger yet, may go, too: they only save time.
            let digests = Set(try self.readLedger().latest.values.map(\.digest))
            for digest in (try? states.digests()) ?? [] where !digests.contains(digest) { states.remove(digest) }
        }
        return (before, after, forgotten.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) })
    }
}

extension FolderTree {
    /// Whether anything has the path. Where a file or a link has the place of a folder on the way, nothing has.
    func has(_ path: RelativePath) throws(FxferError) -> Bool {
        do throws(Errno) {
            var folder = try self.root.openFolderBeneath(.itself)
            for component in path.components.dropLast() {
                folder = try folder.openFolderBeneath(CPath(component))
            }
            return try folder.status(of: CPath(path.lastComponent)) != nil
        } catch {
            switch error.number {
            case ENOENT, ENOTDIR, ELOOP: return false
            default: throw FxferError(.io, "cannot look for '\(path)': \(error)", cause: error)
            }
        }
    }
}
