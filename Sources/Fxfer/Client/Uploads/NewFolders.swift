import FxferProtocol

/// What is known about folders that the server does not have yet: nothing beneath them has to be asked for, so small
/// files go there without a round trip.
///
/// One folder is remembered, the last that was told: a walk stays in it until it is through.
struct NewFolders {
    private var folder: RelativePath?
    private var hasAsked = false
    private var hasAnswer = false

    /// Whether the first question is not answered: it is worth waiting for, as the answer may spare all others.
    var isAskingFirst: Bool { self.hasAsked && !self.hasAnswer }

    func contain(_ path: RelativePath) -> Bool {
        self.folder.map { path.isBeneath($0) } ?? false
    }

    mutating func noteAsked() {
        self.hasAsked = true
    }

    /// The server has answered for `path`.
    ///
    /// - Parameter newFolderLength: the length of its beginning that leads to a new folder.
    mutating func noteAnswer(for path: RelativePath, newFolderLength: UInt16?) {
        self.hasAnswer = true
        guard let length = newFolderLength.map(Int.init), length < path.bytes.count,
            let folder = try? RelativePath(bytes: path.bytes[..<length]), path.isBeneath(folder)
        else { return }
        if let known = self.folder, folder.isBeneath(known) { return }
        self.folder = folder
    }
}
