"""First names as they were given in France, by the years of birth; invented people bear them."""

from __future__ import annotations

from random import Random

_GIVEN: tuple[tuple[int, str], ...] = (
    # the first year of birth from which these are usual, the names
    (
        0,
        (
            "Jean Michel Marie Monique Françoise Bernard Nicole Pierre Jeannine André Denise"
            " Claude Christiane Gérard Annie Daniel Jacqueline Roger Colette Mohamed Fatima Ahmed"
            " Joseph Yvette Guy Solange René Odette Salvatore Concetta Antonio Maria Raymond"
        ),
    ),
    (
        1960,
        (
            "Philippe Catherine Pascal Nathalie Thierry Sylvie Éric Isabelle Laurent Véronique"
            " Christophe Sandrine Stéphane Valérie Frédéric Corinne Patrick Laurence Olivier Agnès"
            " Rachid Malika Abdelkader Khadija José Fernanda Moussa Aminata Hélène Denis Bruno"
            " Marie-Laure Jean-Luc Béatrice Hervé Martine Gilles Brigitte"
        ),
    ),
    (
        1980,
        (
            "Julien Aurélie Nicolas Émilie Sébastien Céline Guillaume Élodie Mathieu Audrey Thomas"
            " Laëtitia Jérémy Marion Anthony Pauline Alexandre Camille Romain Mélanie Karim Samira"
            " Mehdi Nadia Mamadou Fatoumata Linh Minh Benoît Noémie Adrien Anaïs Yannick Gaëlle"
            " Loïc Maëva Amadou Aïcha Ivan Olga François Chloé"
        ),
    ),
    (
        1999,
        (
            "Léa Lucas Manon Hugo Inès Théo Emma Nathan Jade Enzo Louise Maxime Sarah Tom Zoé Yanis"
            " Lina Rayan Nour Ilyès Awa Ibrahima Salimata Adam Louna Noé Romane Ethan Clémence Malo"
            " Élise Gabin Océane Bilal Yasmine Sofia Mateo Kenza Axel Juliette Raphaël Ambre Mathéo"
            " Capucine Timéo Maïssa Oumar Djibril Anh Léonie"
        ),
    ),
)
_INITIALS = "BDLMGRCPSFTVHAJNKEOWYZ"
"""The most usual first letters of family names first; drawn so that the first come more often."""

_COHORTS = tuple((since, tuple(names.split())) for since, names in _GIVEN)


def display_name(rng: Random, birth_year: int | None) -> str:
    """Return what screens show of somebody: ``Léa M.``, a name usual for the year of birth."""
    year = birth_year if birth_year is not None else 1985
    names = next(names for since, names in reversed(_COHORTS) if year >= since)
    initial = _INITIALS[int(len(_INITIALS) * rng.random() ** 1.6)]
    return f"{rng.choice(names)} {initial}."
