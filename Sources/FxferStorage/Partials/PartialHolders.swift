import Synchronization

/// Which connections of one store have which partials.
final class PartialHolders: Sendable {
    private let holders = Mutex<[PartialName: Holder]>([:])

    private struct Holder {
        weak var file: DirectoryStagedFile?
    }

    /// Remembers that `file` has the partial `name`, and forgets those that are gone.
    func add(_ file: DirectoryStagedFile, _ name: PartialName) {
        self.holders.withLock { holders in
            holders = holders.filter { $0.value.file != nil }
            holders[name] = Holder(file: file)
        }
    }

    /// Who had `name` last, where it is still there.
    func holder(of name: PartialName) -> DirectoryStagedFile? {
        self.holders.withLock { $0[name]?.file }
    }
}
