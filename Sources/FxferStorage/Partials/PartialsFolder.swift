import FxferProtocol
import Glibc
import Synchronization

/// Where files are staged, on the same file system as their final names: `DIR/.fxfer/partials`, or `DIR` itself.
final class PartialsFolder: Sendable {
    let folder: OwnedDescriptor
    /// What the names of staged files begin with.
    let prefix: [UInt8]
    let rules: PartialRules
    /// Whether there may be partials that were left for a later try.
    private let mayHaveLeft = Atomic(true)
    /// Who in this store has which partial.
    let holders = PartialHolders()

    init(
        _ folder: consuming OwnedDescriptor,
        prefix: [UInt8] = [],
        rules: PartialRules = DirectoryStore.Options().partialRules
    ) {
        self.folder = folder
        self.prefix = prefix
        self.rules = rules
    }

    /// Where a later try at `path` finds what an earlier one left.
    func name(for path: RelativePath) -> PartialName {
        PartialName(for: path, prefix: self.prefix)
    }

    /// The staged files that have content or a journal here, each once, in no order.
    func staged() throws(Errno) -> Set<PartialName> {
        Set(try self.folder.names().compactMap { PartialName($0, prefix: self.prefix) })
    }

    /// Removes what is under `name`, which `file` stands for and is locked.
    func remove(_ name: PartialName, of file: borrowing OwnedDescriptor) {
        if name.journal != nil {
            // Where someone removed the content by hand, the name may be another holder's by now.
            guard let own = try? file.status(), let there = try? self.folder.status(of: name.content),
                own.identity == there.identity
            else { return }
            self.removeJournal(of: name)
        }
        try? self.folder.remove(name.content)
    }

    /// A partial was left for a later try.
    func noteLeft() {
        self.mayHaveLeft.store(true, ordering: .releasing)
    }

    /// There is none that was left.
    func noteNoneLeft() {
        self.mayHaveLeft.store(false, ordering: .releasing)
    }

    /// The file at `path` was published: what an earlier try at it left is of no use any more.
    func removeLeft(of path: RelativePath) {
        guard self.mayHaveLeft.load(ordering: .acquiring) else { return }
        self.removeUnlocked(self.name(for: path)) { _ in true }
    }

    func removeJournal(of name: PartialName) {
        if let journal = name.journal { try? self.folder.remove(journal) }
    }
}
