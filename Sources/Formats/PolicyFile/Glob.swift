internal import Bytes
internal import Glibc
internal import HostModel

/// How the name of a section fits a domain.
enum Glob {
  enum Fit {
    /// It is the domain's name, UUID or vmid.
    case identity
    /// It is a glob(7) that the name or the id fits.
    case pattern
  }

  static func fit(of section: String, to domain: Domain) -> Fit? {
    if section == domain.name || section.lowercasedASCII == domain.id { return .identity }
    guard section.utf8.contains(where: "*?[".utf8.contains) else { return nil }
    let fits = [domain.name, domain.id ?? domain.name].contains { fnmatch(section, $0, 0) == 0 }
    return fits ? .pattern : nil
  }
}
