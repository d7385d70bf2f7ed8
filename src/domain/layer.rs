//! Which layer of a manifest Flux takes and what it does with it (`reference/flux.md` §1.6), and layers known by name.
//! Decides from the manifest alone; whether a layer can be read is known only once it is.

use super::{
    artifact::{Descriptor, Manifest, Operation, Taken},
    source::LayerSelector,
};

/// A Helm provenance file: signed text.
pub const HELM_PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";

impl LayerSelector {
    /// Extract, unless `copy` is asked for.
    pub const fn operation(&self) -> Operation {
        if self.copy { Operation::Copy } else { Operation::Extract }
    }
}

/// Flux's `selectLayer`; the error is in its words.
pub fn take(manifest: &Manifest, selector: &LayerSelector) -> Result<Taken, Box<str>> {
    if manifest.layers.is_empty() {
        return Err("no layers found in artifact".into());
    }
    let wanted = selector.media_type.as_deref().filter(|wanted| !wanted.is_empty());
    let (layer, why) = match wanted {
        None => (0, "the first one, as layerSelector names no media type".to_owned()),
        Some(wanted) => {
            let found = manifest.layers.iter().position(|layer| media_type(manifest, layer) == wanted);
            let missing = || format!("failed to find layer with media type '{wanted}' in artifact");
            (found.ok_or_else(missing)?, format!("the first one of layerSelector's media type {wanted}"))
        }
    };
    let operation = selector.operation();
    let doubt = doubt(&manifest.layers[layer].media_type, operation).unwrap_or_default();
    Ok(Taken { layer, operation, reason: format!("{why}{doubt}").into() })
}

/// As Flux's library has it (`partial.BlobDescriptor` of go-containerregistry): looked up by the digest, so that of the
/// same bytes under two types only the first type counts.
fn media_type<'a>(manifest: &'a Manifest, layer: &'a Descriptor) -> &'a str {
    let mut blobs = manifest.config.iter().chain(&manifest.layers);
    let first = blobs.find(|blob| blob.digest == layer.digest).unwrap_or(layer);
    &first.media_type
}

/// What is to be expected of a layer whose media type says that it is no gzip archive.
fn doubt(media_type: &str, operation: Operation) -> Option<String> {
    let kind = match media_type {
        HELM_PROVENANCE => "a provenance file, not the chart",
        other if other.ends_with("+zstd") => "compressed with zstd, which Flux cannot read",
        "application/vnd.oci.image.layer.v1.tar" | "application/vnd.docker.image.rootfs.diff.tar" => {
            "not compressed, which Flux cannot read"
        }
        _ => return None,
    };
    (operation == Operation::Extract).then(|| format!("; it should be {kind}"))
}

/// What a media type of a manifest, a layer, a config or a referrer stands for; None: not known here (`reference/flux.md` §1.10).
pub fn name(media_type: &str) -> Option<&'static str> {
    Some(match media_type {
        "application/vnd.oci.image.manifest.v1+json" => "OCI manifest",
        "application/vnd.oci.image.index.v1+json" => "OCI index",
        "application/vnd.docker.distribution.manifest.v2+json" => "Docker manifest",
        "application/vnd.docker.distribution.manifest.list.v2+json" => "Docker manifest list",
        "application/vnd.cncf.flux.config.v1+json" => "Flux config",
        "application/vnd.cncf.flux.content.v1.tar+gzip" => "Flux manifests",
        "application/vnd.cncf.helm.config.v1+json" => "Helm Chart.yaml",
        "application/vnd.cncf.helm.chart.content.v1.tar+gzip" | "application/tar+gzip" => "Helm chart",
        HELM_PROVENANCE => "Helm provenance",
        "application/vnd.oci.image.config.v1+json" | "application/vnd.docker.container.image.v1+json" => {
            "image config"
        }
        "application/vnd.oci.empty.v1+json" => "empty",
        "application/vnd.oci.image.layer.v1.tar"
        | "application/vnd.oci.image.layer.v1.tar+gzip"
        | "application/vnd.oci.image.layer.v1.tar+zstd"
        | "application/vnd.docker.image.rootfs.diff.tar"
        | "application/vnd.docker.image.rootfs.diff.tar.gzip" => "image layer",
        "application/vnd.oci.image.layer.nondistributable.v1.tar"
        | "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
        | "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" => "foreign image layer",
        "application/vnd.timoni.content.v1.tar+gzip" => "Timoni module",
        "application/vnd.dev.cosign.simplesigning.v1+json" => "cosign signature",
        "application/vnd.dsse.envelope.v1+json" | "application/vnd.in-toto+json" => "attestation",
        "application/vnd.cncf.notary.signature" => "Notation signature",
        "application/spdx+json" | "text/spdx+json" | "text/spdx" => "SPDX SBOM",
        "application/vnd.cyclonedx+json" | "application/vnd.cyclonedx" => "CycloneDX SBOM",
        other if other.starts_with("application/vnd.dev.sigstore.bundle") => "Sigstore bundle",
        other if other.starts_with("application/vnd.cncf.flux.content.v1") => "Flux file",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::digest::Digest;

    const CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    const FLUX: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";

    fn manifest(layers: &[&str]) -> Manifest {
        let digest = |number: usize| Digest::parse(&format!("sha256:{number:064}")).unwrap();
        let layer = |(number, media_type): (usize, &&str)| Descriptor {
            digest: digest(number),
            media_type: (*media_type).into(),
            size: Some(1),
            annotations: [].into(),
        };
        Manifest {
            digest: digest(99),
            media_type: "application/vnd.oci.image.manifest.v1+json".into(),
            size: 1,
            config: None,
            layers: layers.iter().enumerate().map(layer).collect(),
            children: Vec::new(),
            annotations: [].into(),
        }
    }

    fn selector(media_type: Option<&str>, copy: bool) -> LayerSelector {
        LayerSelector { media_type: media_type.map(Into::into), copy }
    }

    #[test]
    fn without_a_selector_the_first_layer_is_taken_whatever_it_is() {
        let taken = take(&manifest(&[HELM_PROVENANCE, CHART]), &selector(None, false)).unwrap();
        assert_eq!((taken.layer, taken.operation), (0, Operation::Extract));
        assert_eq!(
            &*taken.reason,
            "the first one, as layerSelector names no media type; it should be a provenance file, not the chart"
        );
    }

    #[test]
    fn the_first_layer_of_the_media_type_is_taken() {
        let taken = take(&manifest(&[HELM_PROVENANCE, CHART, CHART]), &selector(Some(CHART), true)).unwrap();
        assert_eq!((taken.layer, taken.operation), (1, Operation::Copy));
        assert_eq!(&*taken.reason, format!("the first one of layerSelector's media type {CHART}"));
    }

    #[test]
    fn the_same_bytes_have_the_first_type_that_they_are_given() {
        let mut doubled = manifest(&[FLUX, CHART, CHART]);
        doubled.layers[1].digest = doubled.layers[0].digest.clone();
        assert_eq!(take(&doubled, &selector(Some(CHART), true)).unwrap().layer, 2);
        doubled.config = Some(Descriptor { media_type: "config".into(), ..doubled.layers[2].clone() });
        assert!(take(&doubled, &selector(Some(CHART), true)).is_err());
    }

    #[test]
    fn an_empty_media_type_is_none() {
        let taken = take(&manifest(&[FLUX]), &selector(Some(""), false)).unwrap();
        assert_eq!(&*taken.reason, "the first one, as layerSelector names no media type");
    }

    #[test]
    fn what_cannot_be_taken_fails_in_the_words_of_flux() {
        let error = |layers: &[&str], wanted| take(&manifest(layers), &selector(wanted, false)).unwrap_err();
        assert_eq!(&*error(&[], Some(CHART)), "no layers found in artifact");
        assert_eq!(
            *error(&[FLUX], Some(CHART)),
            *format!("failed to find layer with media type '{CHART}' in artifact")
        );
    }

    #[test]
    fn layers_are_known_by_name() {
        assert_eq!(name(FLUX), Some("Flux manifests"));
        assert_eq!(name(CHART), Some("Helm chart"));
        assert_eq!(name("application/octet-stream"), None);
    }
}
