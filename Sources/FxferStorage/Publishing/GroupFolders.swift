import FxferProtocol
import Glibc

/// The folders that a group of files goes to, each opened, and made durable, once for all of them.
///
/// Belongs to one thread. Descriptors are the group's own, so that an fsync reports what failed since it began.
final class GroupFolders {
    /// A folder and the one above it.
    final class Node {
        let descriptor: OwnedDescriptor
        fileprivate let parent: Node?
        /// Whether something was made or found in it that is to be made durable.
        fileprivate var isNeeded = false
        /// Whether the last name that was looked for here was free.
        private var wasFree = false
        /// Why an fsync failed. There is no second one then.
        private var failure: Errno?

        fileprivate init(_ descriptor: consuming OwnedDescriptor, in parent: Node?) {
            self.descriptor = descriptor
            self.parent = parent
        }

        /// Whether something has `name` here, for all that is known: where one name was free, the next is taken to be,
        /// and not looked for. It is found out when the name is taken.
        func seemsToHave(_ name: CPath) throws(Errno) -> Bool {
            if !self.wasFree { self.wasFree = try self.descriptor.status(of: name) == nil }
            return !self.wasFree
        }

        /// Makes the entries of this folder durable, and its own entry and those above it.
        func syncChain() {
            var node: Node? = self
            while let folder = node {
                folder.sync()
                node = folder.parent
            }
        }

        fileprivate func sync() {
            guard self.failure == nil else { return }
            do {
                try self.descriptor.sync()
            } catch {
                self.failure = error
            }
        }

        /// After a name in it was withdrawn that was durable already: a file that the disk does not give back shall not
        /// come back by a loss of power. Nothing can be done where that fails.
        func flushWithdrawal(_ level: Durability) {
            if level == .media { self.sync() }
        }

        /// Throws where this folder or one above it could not be made durable.
        func checkDurable() throws(Errno) {
            if let failure = self.failure { throw failure }
            try self.parent?.checkDurable()
        }
    }

    private let tree: FolderTree
    /// By the folder's path, empty for the root.
    private var nodes: [ArraySlice<UInt8>: Node] = [:]
    /// Those to be made durable.
    private var needed: [Node] = []

    init(_ tree: FolderTree) {
        self.tree = tree
    }

    /// How many are open.
    var count: Int { self.nodes.count }

    /// The file's folder; nil where it, or one above it, is not there.
    ///
    /// - Throws: `.cannotCreate` where a component is no folder, `.io`.
    func existing(for path: RelativePath) throws(FxferError) -> Node? {
        try self.folder(for: path) { folder, name throws(Errno) -> OwnedDescriptor? in
            do throws(Errno) {
                return try folder.openFolderBeneath(name)
            } catch {
                guard error.number == ENOENT else { throw error }
                return nil
            }
        }
    }

    /// The file's folder, made where it is missing (0o777 less the umask), as are those above it; to be made durable by
    /// ``sync()`` or ``Node/syncChain()`` after the file was given its name.
    ///
    /// - Throws: `.cannotCreate`, `.noSpace` or `.io`.
    func make(for path: RelativePath) throws(FxferError) -> Node {
        let node = try self.folder(for: path) { folder, name throws(Errno) -> OwnedDescriptor? in
            try FolderTree.enter(name, from: folder)
        }
        guard let node else { throw FolderTree.comesAndGoes(path) }
        var next: Node? = node
        while let folder = next, !folder.isNeeded {
            folder.isNeeded = true
            self.needed.append(folder)
            next = folder.parent
        }
        return node
    }

    private func folder(
        for path: RelativePath,
        _ open: (borrowing OwnedDescriptor, CPath) throws(Errno) -> OwnedDescriptor?
    ) throws(FxferError) -> Node? {
        let folderPath = path.folderBytes
        if let node = self.nodes[folderPath] { return node }
        var node = try self.root(path)
        var end = folderPath.startIndex
        for component in folderPath.split(separator: UInt8(ascii: "/")) {
            end = component.endIndex
            if let known = self.nodes[folderPath[..<end]] {
                node = known
                continue
            }
            do {
                guard let next = try open(node.descriptor, CPath(component)) else { return nil }
                node = Node(next, in: node)
            } catch {
                throw FolderTree.blocked(path, at: component, error)
            }
            self.nodes[folderPath[..<end]] = node
        }
        return node
    }

    private func root(_ path: RelativePath) throws(FxferError) -> Node {
        if let root = self.nodes[[]] { return root }
        let root = Node(try self.tree.openRoot(path), in: nil)
        self.nodes[[]] = root
        return root
    }

    /// Makes the entries of all folders that ``make(for:)`` answered, and of those above them, durable; failures are
    /// told by ``Node/checkDurable()``.
    func sync() {
        for node in self.needed { node.sync() }
    }

    /// Looks the folders up anew from now on: one of them was removed.
    func forget() {
        self.nodes = [:]
    }
}

extension RelativePath {
    /// The path without its last component and the slash before that; empty for a file in the root.
    var folderBytes: ArraySlice<UInt8> {
        self.bytes[..<(self.bytes.lastIndex(of: UInt8(ascii: "/")) ?? 0)]
    }
}
