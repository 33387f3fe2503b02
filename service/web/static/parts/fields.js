const OF_IMAGES = ["dataset", "modality", "body_part", "labels", "sex", "contrast", "abnormal", "year", "licence"];

/** Fields whose values are counted beside the results, by mode. */
export const FACET_FIELDS = {
  words: OF_IMAGES,
  picture: OF_IMAGES,
  questions: ["dataset", "language", "category", "calculator", "labels", "licence"],
};
