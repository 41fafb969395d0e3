import FxferProtocol

/// Folders whose contents were asked for: each is set right when nothing beneath it is on its way any more, as what
/// arrives in a folder changes its times, and its permissions may forbid it.
struct FoldersInProgress {
    private var waiting: [(folder: Download, attributes: FileAttributes)] = []
    private var finishing: [Download] = []

    var isEmpty: Bool { self.waiting.isEmpty && self.finishing.isEmpty }

    mutating func add(_ folder: Download, _ attributes: FileAttributes) {
        self.waiting.append((folder, attributes))
    }

    /// Takes out a folder that may be set right now.
    ///
    /// - Parameter files: the files that are on their way.
    mutating func nextToFinish(
        beside files: some Collection<Download>
    ) -> (folder: Download, attributes: FileAttributes)? {
        let index = self.waiting.firstIndex { candidate in
            let isAbove = { (other: Download) in other.destination.isBeneath(candidate.folder.destination) }
            return !files.contains(where: isAbove) && !self.finishing.contains(where: isAbove)
                && !self.waiting.contains { isAbove($0.folder) }
        }
        guard let index else { return nil }
        let next = self.waiting.remove(at: index)
        self.finishing.append(next.folder)
        return next
    }

    mutating func finished(_ folder: Download) {
        self.finishing.removeAll { $0.destination == folder.destination }
    }

    /// Takes out everything that was not begun.
    mutating func takeAll() -> [(folder: Download, attributes: FileAttributes)] {
        defer { self.waiting = [] }
        return self.waiting
    }
}
