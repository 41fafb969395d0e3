import Glibc

@testable import FxferStorage

/// How many descriptors of this process stand for `path` or something below it.
func openDescriptors(below path: String) throws -> Int {
    let folder = try OwnedDescriptor.open(CPath("/proc/self/fd"), O_RDONLY | O_DIRECTORY)
    let path = CPath(path).characters.dropLast()
    var target = [CChar](repeating: 0, count: Int(PATH_MAX))
    return try folder.names().count { name in
        let count = readlinkat(folder.number, name.characters, &target, target.count)
        return target.prefix(max(count, 0)).starts(with: path)
    }
}
